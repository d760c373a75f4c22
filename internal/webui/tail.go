package webui

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"unicode/utf8"

	"supervisord/internal/api"
)

// minTail is the least number of bytes that the tail page shows, where the log
// has them.
const minTail = 1024

// serveTail serves the page with the last bytes of a process's standard
// output, at least 1024 or as many as limit says (manual: Web UI, addresses).
func (h *Handler) serveTail(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	name := r.Form.Get("processname")
	limit := tailLimit(r.Form.Get("limit"))
	v := values{"name": name, "query": queryEscape(name), "limit": strconv.FormatInt(limit, 10)}
	if name == "" {
		v["tail"] = "No process name found"
	} else if f, err := h.openLog(r, name, api.Stdout); err != nil {
		v["tail"] = tailFailure(name, err)
	} else {
		defer f.Close()
		v["tail"] = func(w io.Writer) error { return copyTail(w, f, limit) }
	}
	h.servePage(w, r, http.StatusOK, tailPage(), v)
}

// tailLimit returns the number of bytes that a limit asks for. What is no
// number counts as none.
func tailLimit(s string) int64 {
	for _, c := range s {
		if c < '0' || c > '9' {
			return minTail
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && s != "" {
		n = 1<<63 - 1 // All digits, so it is too large a number.
	}
	return max(n, minTail)
}

// tailFailure says why there is nothing to show.
func tailFailure(name string, err error) string {
	switch faultCode(err) {
	case api.NoFile:
		return "No file for " + name
	case 0:
		return "ERROR: " + err.Error()
	}
	return fmt.Sprintf("ERROR: unexpected rpc fault [%d] %s", faultCode(err), err)
}

// copyTail writes the last limit bytes of a file, in pieces that end between
// characters.
func copyTail(w io.Writer, f *os.File, limit int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	from := max(info.Size()-limit, 0)
	// What is written to the file from now on is not waited for.
	r := io.NewSectionReader(f, from, info.Size()-from)
	buf := make([]byte, 32<<10)
	held, first := 0, from > 0
	for {
		n, err := r.Read(buf[held:])
		data := buf[:held+n]
		if first {
			data = dropPartialRune(data)
			first = false
		}
		end := len(data)
		if err == nil {
			end -= partialRune(data)
		}
		if _, err := w.Write(data[:end]); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		held = copy(buf, data[end:])
	}
}

// dropPartialRune cuts off the end of a character that began before data.
func dropPartialRune(data []byte) []byte {
	for i := 0; i < len(data) && i < utf8.UTFMax; i++ {
		if utf8.RuneStart(data[i]) {
			return data[i:]
		}
	}
	return data
}

// partialRune returns how many bytes at the end of data are the beginning of a
// character that is not complete.
func partialRune(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if tail := data[len(data)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
