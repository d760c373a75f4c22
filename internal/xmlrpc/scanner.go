package xmlrpc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// tokenKind tells what a token is.
type tokenKind uint8

const (
	startTag tokenKind = iota // token.name
	endTag
	charData // token.text, valid until the next token
)

// token is what XML text consists of.
type token struct {
	kind tokenKind
	name string
	text []byte
}

// A tokenizer splits XML text into tokens. Its error at the end is io.EOF.
type tokenizer interface {
	next() (token, error)
}

// xmlTokenizer reads any XML.
type xmlTokenizer struct{ d *xml.Decoder }

func newXMLTokenizer(text []byte) xmlTokenizer {
	d := xml.NewDecoder(bytes.NewReader(text))
	// The text is UTF-8 by now, whatever its declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return xmlTokenizer{d}
}

func (x xmlTokenizer) next() (token, error) {
	for {
		t, err := x.d.Token()
		if err != nil {
			return token{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return token{kind: startTag, name: t.Name.Local}, nil
		case xml.EndElement:
			return token{kind: endTag}, nil
		case xml.CharData:
			return token{kind: charData, text: t}, nil
		}
	}
}

// errUnusual is the error of a scanner for text that it leaves to others.
var errUnusual = errors.New("unusual XML")

// scanner reads the XML that XML-RPC clients write: the elements of XML-RPC
// without attributes, and characters that stand for themselves or are one of
// the five named entities. For such text it is many times as fast as
// encoding/xml, and gives the same tokens; for all other text, good or bad, it
// returns errUnusual.
type scanner struct {
	text    []byte // what is left; it is valid UTF-8
	open    []string
	closing bool // the last token was the start of an empty element
}

// declarations are the XML declarations that a scanner knows.
var declarations = [][]byte{
	[]byte(`<?xml version='1.0'?>`),
	[]byte(`<?xml version="1.0"?>`),
	[]byte(`<?xml version="1.0" encoding="UTF-8"?>`),
	[]byte(`<?xml version="1.0" encoding="utf-8"?>`),
	[]byte(`<?xml version='1.0' encoding='utf-8'?>`),
	[]byte(`<?xml version='1.0' encoding='UTF-8'?>`),
}

// usualDepth is how deep the elements of most calls are nested.
const usualDepth = 8

func newScanner(text []byte) *scanner {
	for _, d := range declarations {
		if rest, ok := bytes.CutPrefix(text, d); ok {
			text = rest
			break
		}
	}
	return &scanner{text: text, open: make([]string, 0, usualDepth)}
}

func (s *scanner) next() (token, error) {
	switch {
	case s.closing:
		s.closing = false
		return s.end()
	case len(s.text) == 0 && len(s.open) == 0:
		return token{}, io.EOF
	case len(s.text) == 0:
		return token{}, errUnusual
	case s.text[0] == '<':
		return s.tag()
	}
	text, ok := s.characters()
	if !ok {
		return token{}, errUnusual
	}
	return token{kind: charData, text: text}, nil
}

// characters reads what stands before the next tag. There may be nothing.
func (s *scanner) characters() (text []byte, ok bool) {
	end := bytes.IndexByte(s.text, '<')
	if end < 0 {
		end = len(s.text)
	}
	raw := s.text[:end]
	s.text = s.text[end:]
	return characters(raw)
}

// tag reads what begins with "<".
func (s *scanner) tag() (token, error) {
	end := bytes.IndexByte(s.text, '>')
	if end < 0 {
		return token{}, errUnusual
	}
	name := s.text[1:end]
	s.text = s.text[end+1:]
	if rest, ok := bytes.CutPrefix(name, []byte("/")); ok {
		if len(s.open) == 0 || s.open[len(s.open)-1] != string(rest) {
			return token{}, errUnusual
		}
		return s.end()
	}
	name, s.closing = bytes.CutSuffix(name, []byte("/"))
	known := elementName(name)
	if known == "" {
		return token{}, errUnusual
	}
	s.open = append(s.open, known)
	return token{kind: startTag, name: known}, nil
}

func (s *scanner) end() (token, error) {
	s.open = s.open[:len(s.open)-1]
	return token{kind: endTag}, nil
}

// elementName returns the name of an element of XML-RPC as a string that need
// not be made, "" for others.
func elementName(name []byte) string {
	switch string(name) {
	case "methodCall":
		return "methodCall"
	case "methodName":
		return "methodName"
	case "params":
		return "params"
	case "param":
		return "param"
	case "value":
		return "value"
	case "string":
		return "string"
	case "int":
		return "int"
	case "i4":
		return "i4"
	case "i8":
		return "i8"
	case "boolean":
		return "boolean"
	case "double":
		return "double"
	case "dateTime.iso8601":
		return "dateTime.iso8601"
	case "base64":
		return "base64"
	case "array":
		return "array"
	case "data":
		return "data"
	case "struct":
		return "struct"
	case "member":
		return "member"
	case "name":
		return "name"
	case "nil":
		return "nil"
	}
	return ""
}

// characters returns what character data stands for. It fails for what XML
// forbids or changes, and for entities other than the five.
func characters(raw []byte) (text []byte, ok bool) {
	escaped := false
	for i, c := range raw {
		switch {
		case c == '&':
			escaped = true
		case c < ' ' && c != '\n' && c != '\t':
			return nil, false
		case c == ']' && bytes.HasPrefix(raw[i:], []byte("]]>")):
			return nil, false
		case c == 0xEF && (bytes.HasPrefix(raw[i:], []byte("\uFFFE")) || bytes.HasPrefix(raw[i:], []byte("\uFFFF"))):
			return nil, false
		}
	}
	if !escaped {
		return raw, true
	}
	return unescape(raw)
}

// entities are the named ones.
var entities = []struct {
	name []byte
	char byte
}{
	{[]byte("&lt;"), '<'},
	{[]byte("&gt;"), '>'},
	{[]byte("&amp;"), '&'},
	{[]byte("&quot;"), '"'},
	{[]byte("&apos;"), '\''},
}

func unescape(raw []byte) (text []byte, ok bool) {
	text = make([]byte, 0, len(raw))
next:
	for len(raw) > 0 {
		if raw[0] != '&' {
			text = append(text, raw[0])
			raw = raw[1:]
			continue
		}
		for _, e := range entities {
			if rest, found := bytes.CutPrefix(raw, e.name); found {
				text = append(text, e.char)
				raw = rest
				continue next
			}
		}
		return nil, false
	}
	return text, true
}
