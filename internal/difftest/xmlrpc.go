package difftest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// caller calls the XML-RPC methods of a daemon and returns values as they are,
// without knowing their types.
type caller struct{ http http.Client }

func newCaller(socket string) *caller {
	c := &caller{}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
	return c
}

// fault is the value of a call that failed.
type fault struct {
	Code   int
	String string
}

// call returns the value of a method: int, bool, string, []any, map[string]any
// or fault. An error is one of the connection.
func (c *caller) call(method string, args ...any) (any, error) {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params>")
	for _, a := range args {
		b.WriteString("<param>")
		writeValue(&b, a)
		b.WriteString("</param>")
	}
	b.WriteString("</params></methodCall>")
	resp, err := c.http.Post("http://localhost/RPC2", "text/xml", strings.NewReader(b.String()))
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", method, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", method, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "HTTP " + resp.Status, nil
	}
	v, err := readResponse(body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w in %q", method, err, body)
	}
	return v, nil
}

func writeValue(b *strings.Builder, v any) {
	b.WriteString("<value>")
	switch v := v.(type) {
	case int:
		fmt.Fprintf(b, "<int>%d</int>", v)
	case bool:
		n := 0
		if v {
			n = 1
		}
		fmt.Fprintf(b, "<boolean>%d</boolean>", n)
	case string:
		b.WriteString("<string>" + html.EscapeString(v) + "</string>")
	case []any:
		b.WriteString("<array><data>")
		for _, e := range v {
			writeValue(b, e)
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>")
		for k, e := range v {
			b.WriteString("<member><name>" + k + "</name>")
			writeValue(b, e)
			b.WriteString("</member>")
		}
		b.WriteString("</struct>")
	default:
		panic(fmt.Sprintf("difftest: no XML-RPC value: %T", v))
	}
	b.WriteString("</value>")
}

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

func readResponse(body []byte) (any, error) {
	var root element
	if err := xml.NewDecoder(bytes.NewReader(body)).Decode(&root); err != nil {
		return nil, err
	}
	e, isFault := &root, false
	for e.XMLName.Local != "value" {
		isFault = isFault || e.XMLName.Local == "fault"
		if len(e.Children) == 0 {
			return nil, fmt.Errorf("no value")
		}
		e = &e.Children[0]
	}
	v, err := readValue(e)
	if m, ok := v.(map[string]any); ok && isFault {
		code, _ := m["faultCode"].(int)
		text, _ := m["faultString"].(string)
		return fault{code, text}, err
	}
	return v, err
}

func readValue(e *element) (any, error) {
	if len(e.Children) == 0 {
		return e.Text, nil
	}
	t := &e.Children[0]
	switch t.XMLName.Local {
	case "int", "i4":
		return strconv.Atoi(t.Text)
	case "boolean":
		return t.Text == "1", nil
	case "string":
		return t.Text, nil
	case "array":
		list := []any{}
		for i := range t.Children[0].Children {
			v, err := readValue(&t.Children[0].Children[i])
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case "struct":
		m := make(map[string]any)
		for _, member := range t.Children {
			if len(member.Children) != 2 {
				return nil, fmt.Errorf("bad member")
			}
			v, err := readValue(&member.Children[1])
			if err != nil {
				return nil, err
			}
			m[member.Children[0].Text] = v
		}
		return m, nil
	}
	return nil, fmt.Errorf("value of type %s", t.XMLName.Local)
}
