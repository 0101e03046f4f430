"""The `Keys` port: one ring of data and digest keys in this process, three places where index and signing keys live."""
