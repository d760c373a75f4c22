package xmlrpc

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"supervisord/internal/python"
)

const (
	// maxDepth is how deep elements may be nested. A call of system.multicall
	// needs 14.
	maxDepth = 128
	// maxElements is how many elements a call may have.
	maxElements = 1 << 18
)

// DecodeCall reads a method call. The parameters are of the types int64, bool,
// string, float64, time.Time, []any, map[string]any, or nil. Base64 arrives as
// a string of the bytes that it stands for. An empty method name is an error.
//
// Elements are understood wherever they stand, an element that is not known
// stands for its text, and a value without a type is a string: what Supervisor
// accepts, this accepts.
func DecodeCall(body []byte) (method string, params []any, err error) {
	body, err = toUTF8(body)
	if err != nil {
		return "", nil, err
	}
	var scratch struct {
		text [64]byte
		kids [usualDepth]node
	}
	d := decoder{tokens: newScanner(body), text: scratch.text[:0], kids: scratch.kids[:0]}
	if d.document() != nil {
		// It is not as clients write it. Or it is, and bad; that is said then.
		d = decoder{tokens: newXMLTokenizer(body)}
		if err := d.document(); err != nil {
			return "", nil, fmt.Errorf("decode method call: %w", err)
		}
	}
	if d.method == "" {
		return "", nil, ErrNoMethod
	}
	return d.method, d.params, nil
}

// ErrNoMethod is the error of DecodeCall for XML without a method name.
var ErrNoMethod = errors.New("decode method call: no method name")

// decoder holds the state of one DecodeCall.
type decoder struct {
	tokens   tokenizer
	depth    int
	elements int
	// text and kids are those of the elements that are open, in the order in
	// which they were opened.
	text   []byte
	kids   []node
	method string
	params []any
}

// node is an element after it was read: what its text was turned into, nil
// where it had none, and its children unless the text stands for them.
type node struct {
	text any
	kids []node
}

// document reads the root element and makes sure that nothing but comments and
// white space surrounds it.
func (d *decoder) document() error {
	root := false
	for {
		t, err := d.tokens.next()
		if err == io.EOF {
			if !root {
				return errors.New("no element found")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t.kind {
		case startTag:
			if root {
				return errors.New("junk after document element")
			}
			root = true
			if _, err := d.element(t.name); err != nil {
				return err
			}
		case charData:
			if len(bytes.TrimLeft(t.text, " \t\r\n\uFEFF")) > 0 {
				return errors.New("text outside of the document element")
			}
		}
	}
}

// element reads an element up to its end. Only the text before the first child
// counts; comments in it do not.
func (d *decoder) element(tag string) (node, error) {
	d.elements++
	if d.depth == maxDepth || d.elements > maxElements {
		return node{}, errors.New("too many elements")
	}
	d.depth++
	text, kids := len(d.text), len(d.kids)
	for {
		t, err := d.tokens.next()
		if err != nil {
			return node{}, err
		}
		switch t.kind {
		case startTag:
			kid, err := d.element(t.name)
			if err != nil {
				return node{}, err
			}
			d.kids = append(d.kids, kid)
		case charData:
			if len(d.kids) == kids {
				d.text = append(d.text, t.text...)
			}
		case endTag:
			n, err := d.finish(tag, d.text[text:], d.kids[kids:])
			if err != nil {
				return node{}, fmt.Errorf("%s: %w", tag, err)
			}
			d.depth--
			d.text = d.text[:text]
			clear(d.kids[kids:])
			d.kids = d.kids[:kids]
			return n, nil
		}
	}
}

// finish gives an element that was read its meaning.
func (d *decoder) finish(tag string, text []byte, kids []node) (node, error) {
	switch tag {
	case "methodName":
		d.method = string(text)
		if len(text) > 0 && len(kids) == 0 {
			return node{text: d.method}, nil
		}
		return other(text, kids), nil
	case "params":
		d.params = texts(kids)
		return other(text, kids), nil
	case "value":
		if len(kids) > 0 {
			return node{text: kids[0].text}, nil
		}
		return node{text: string(text)}, nil
	case "string":
		return node{text: string(text)}, nil
	case "boolean":
		return node{text: string(text) == "1"}, nil
	case "data":
		return node{text: texts(kids)}, nil
	case "param", "array":
		if len(kids) == 0 {
			return node{}, errors.New("empty element")
		}
		return node{text: kids[0].text}, nil
	case "struct":
		v, err := structure(kids)
		return node{text: v}, err
	}
	v, known, err := scalar(tag, text)
	if err != nil {
		return node{}, err
	}
	if known {
		return node{text: v}, nil
	}
	return other(text, kids), nil
}

// other is an element without a meaning of its own.
func other(text []byte, kids []node) node {
	n := node{kids: slices.Clone(kids)}
	if len(text) > 0 {
		n.text = string(text)
	}
	return n
}

// scalar converts the text of the elements that hold numbers, times and binary
// data. known is false for other elements.
func scalar(tag string, text []byte) (v any, known bool, err error) {
	switch tag {
	case "int", "i4", "i8":
		v, err = python.Int(string(text), 10)
	case "double":
		v, err = parseDouble(string(text))
	case "dateTime.iso8601":
		v, err = time.Parse("20060102T15:04:05", string(text))
	case "base64":
		v, err = decodeBase64(string(text))
	default:
		return nil, false, nil
	}
	return v, true, err
}

// structure makes a map of the members of a struct.
func structure(members []node) (any, error) {
	m := make(map[string]any, len(members))
	for _, member := range members {
		if len(member.kids) != 2 {
			return nil, errors.New("member without name and value")
		}
		name, ok := member.kids[0].text.(string)
		if !ok && member.kids[0].text != nil {
			return nil, errors.New("name of a member is no text")
		}
		m[name] = member.kids[1].text
	}
	return m, nil
}

func texts(kids []node) []any {
	list := make([]any, len(kids))
	for i, k := range kids {
		list[i] = k.text
	}
	return list
}

// parseDouble reads a double as Python's float does: a number that is too large
// is infinite, and there is no hexadecimal notation.
func parseDouble(text string) (float64, error) {
	text = strings.TrimFunc(text, unicode.IsSpace)
	if strings.ContainsAny(text, "xXpP_") {
		return 0, errors.New("bad number")
	}
	v, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) && math.IsInf(v, 0) {
		return v, nil
	}
	return v, err
}

// decodeBase64 ignores characters that do not belong to the alphabet, as line
// breaks.
func decodeBase64(text string) (string, error) {
	text = strings.Map(func(r rune) rune {
		if r == '+' || r == '/' || r == '=' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, text)
	b, err := base64.StdEncoding.DecodeString(text)
	return string(b), err
}
