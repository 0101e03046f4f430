"""The portal's page: one question about rights, asked by a browser that logged in. An example of use as much as a portal."""
