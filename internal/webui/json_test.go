package webui

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	var j jsonBuffer
	j.open('{').key("a").int(-1).key("b").open('[').string("x").bool(true).raw([]byte("null")).open('{').close('}').close(']')
	j.key("c").string("y").close('}')
	if got, want := j.String(), `{"a":-1,"b":["x",true,null,{}],"c":"y"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzJSONString checks that every string is one line of JSON that means the
// string, and cannot end a script element.
func FuzzJSONString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x7f", "</script><!--", "\u2028\u2029é𝄞", "\xff\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var j jsonBuffer
		text := j.string(s).String()
		var back string
		if err := json.Unmarshal([]byte(text), &back); err != nil {
			t.Fatalf("%q becomes %s: %v", s, text, err)
		}
		if want := strings.Join(strings.Split(string([]rune(s)), ""), ""); back != want {
			t.Errorf("%q comes back as %q", s, back)
		}
		if strings.ContainsAny(text, "<>&\n\r\u2028\u2029") {
			t.Errorf("%q becomes %s", s, text)
		}
	})
}
