// Package soap reads and writes the SOAP 1.2 messages that ONVIF is made of, and signs them as
// WS-Security's UsernameToken asks (OASIS WSS UsernameToken Profile 1.1).
//
// Messages come from whatever stands in somebody's network. Reading is bounded in bytes, depth and
// parts, knows no document type and fetches nothing; a message that is more than that is ErrMessage.
// Namespaces are not compared: cameras get their prefixes right and their versions wrong.
package soap
