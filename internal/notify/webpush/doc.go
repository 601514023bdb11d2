// Package webpush hands short texts to the push service that a person's browser named.
//
// A subscription is what the browser gave us: an address at its maker's push service and two keys
// that only the browser can answer. A message is encrypted for these keys (RFC 8291), so the push
// service sees an address, a size, how urgent it is and how long it may wait, and nothing of what
// it says; the request carries our own signature (RFC 8292), so nobody else can use the address.
//
// Only known push services are taken (Services): a subscription is an address that somebody from
// outside gave us, and this program posts to no address because somebody gave it. The client that
// carries the requests is handed in; it comes from package egress and reaches the same hosts only.
//
// The package keeps nothing but the key pair it signs with (Identity).
package webpush
