# What a hub's token may do in OpenBao, and no more: draw its keys and use them. Nothing lets it export one.
path "transit/keys" {
  capabilities = ["list"]
}
path "transit/keys/ecluse.*" {
  capabilities = ["create", "read", "update", "delete"]
}
path "transit/hmac/ecluse.index.*" {
  capabilities = ["create", "update"]
}
path "transit/sign/ecluse.signing.*" {
  capabilities = ["create", "update"]
}
path "transit/encrypt/ecluse.wrap.*" {
  capabilities = ["update"]
}
path "transit/decrypt/ecluse.wrap.*" {
  capabilities = ["update"]
}
