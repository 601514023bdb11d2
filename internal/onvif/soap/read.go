package soap

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of a message.
const (
	MaxBytes = 256 << 10
	maxDepth = 40
	maxParts = 20_000
)

// ErrMessage is a message that cannot be read, or is larger than any camera's should be.
var ErrMessage = errors.New("not a SOAP message we read")

// bounded hands on the tokens of a message while it stays within the bounds.
type bounded struct {
	from  *xml.Decoder
	depth int
	parts int
}

func (b *bounded) Token() (xml.Token, error) {
	for {
		tok, err := b.from.RawToken()
		if err != nil {
			return nil, err
		}
		if b.parts++; b.parts > maxParts {
			return nil, fmt.Errorf("%w: too many parts", ErrMessage)
		}
		switch tok.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it has a document type", ErrMessage)
		case xml.ProcInst, xml.Comment:
			continue
		case xml.StartElement:
			if b.depth++; b.depth > maxDepth {
				return nil, fmt.Errorf("%w: too deep", ErrMessage)
			}
		case xml.EndElement:
			b.depth--
		}
		return tok, nil
	}
}

// decoder reads a message within the bounds.
func decoder(r io.Reader) *xml.Decoder {
	raw := xml.NewDecoder(r)
	raw.CharsetReader = plain
	return xml.NewTokenDecoder(&bounded{from: raw})
}

// plain takes what claims another encoding for what nearly all of them are: ASCII. Bytes beyond it
// that are not UTF-8 fail in the decoder.
func plain(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "gb2312", "gbk", "gb18030":
		return in, nil
	}
	return nil, fmt.Errorf("%w: encoding %q", ErrMessage, label)
}

// short ends a message that is too long with an error instead of silently.
type short struct {
	r    io.Reader
	left int
}

func (s *short) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, fmt.Errorf("%w: too long", ErrMessage)
	}
	if len(b) > s.left {
		b = b[:s.left]
	}
	n, err := s.r.Read(b)
	s.left -= n
	return n, err
}

// Read fills v, a pointer to a struct with the parts of an Envelope that are wanted, from a message.
func Read(r io.Reader, v any) error {
	d := decoder(&short{r: r, left: MaxBytes})
	for {
		tok, err := d.Token()
		if err != nil {
			return message(err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != "Envelope" {
			return fmt.Errorf("%w: it begins with %.40q", ErrMessage, start.Name.Local)
		}
		if err := d.DecodeElement(v, &start); err != nil {
			return message(err)
		}
		return nil
	}
}

func message(err error) error {
	if errors.Is(err, ErrMessage) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMessage, err)
}

// Fault is how a device says no.
type Fault struct {
	Codes  []string `xml:"Code>Value"`
	Sub    []string `xml:"Code>Subcode>Value"`
	Deeper []string `xml:"Code>Subcode>Subcode>Value"`
	Old    string   `xml:"faultcode"` // SOAP 1.1
	Reason string   `xml:"Reason>Text"`
	Text   string   `xml:"faultstring"`
}

// Means reports whether the fault is of that kind, as in "NotAuthorized".
func (f *Fault) Means(kind string) bool {
	for _, list := range [][]string{f.Codes, f.Sub, f.Deeper, {f.Old}} {
		for _, code := range list {
			if local := code[strings.LastIndexByte(code, ':')+1:]; strings.EqualFold(strings.TrimSpace(local), kind) {
				return true
			}
		}
	}
	return false
}

func (f *Fault) Error() string {
	kind := ""
	for _, list := range [][]string{{f.Old}, f.Codes, f.Sub, f.Deeper} {
		if n := len(list); n > 0 && list[n-1] != "" {
			kind = list[n-1]
		}
	}
	return fmt.Sprintf("the device answers with a fault %.80q", kind)
}
