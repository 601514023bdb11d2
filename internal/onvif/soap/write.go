package soap

import (
	"bytes"
	"encoding/xml"
)

// The namespaces of ONVIF and of what it stands on.
const (
	NS          = "http://www.w3.org/2003/05/soap-envelope"
	Addressing  = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	Discovery   = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
	Network     = "http://www.onvif.org/ver10/network/wsdl"
	Device      = "http://www.onvif.org/ver10/device/wsdl"
	Media       = "http://www.onvif.org/ver10/media/wsdl"
	Schema      = "http://www.onvif.org/ver10/schema"
	security    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	utility     = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	digest      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
	base64Kind  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
	ContentType = "application/soap+xml; charset=utf-8"
)

// Envelope writes a message. header and body are XML whose prefixes are those declared here:
// s, a, d, dn, tds, trt, tt.
func Envelope(header, body string) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<s:Envelope xmlns:s="` + NS + `" xmlns:a="` + Addressing + `" xmlns:d="` + Discovery + `" xmlns:dn="` + Network +
		`" xmlns:tds="` + Device + `" xmlns:trt="` + Media + `" xmlns:tt="` + Schema + `">`)
	if header != "" {
		b.WriteString("<s:Header>" + header + "</s:Header>")
	}
	b.WriteString("<s:Body>" + body + "</s:Body></s:Envelope>")
	return b.Bytes()
}

// Text makes a string safe between tags and in attributes.
func Text(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
