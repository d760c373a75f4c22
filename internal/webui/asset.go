package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"supervisord/web"
)

// An asset is a file of package web that is served as it is: a stylesheet, a
// script or an image.
type asset struct {
	name        string
	contentType string
	tag         string
	modified    time.Time
	// packed is the content as gzip has it, once a client has asked for that.
	packed []byte
}

// contentTypes are the types of the files in package web. The system's own
// list of types is not asked: it differs from machine to machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".gif": "image/gif",
	".png": "image/png",
	".svg": "image/svg+xml",
}

// loadAssets returns the assets. Files that are compiled into a program have no
// date: they count as new since they were first asked for.
func loadAssets() *assetSet {
	assets := make(map[string]*asset)
	modified := time.Now().Truncate(time.Second)
	err := fs.WalkDir(web.Files, ".", func(name string, d fs.DirEntry, err error) error {
		contentType := contentTypes[path.Ext(name)]
		if err != nil || d.IsDir() || contentType == "" {
			return err
		}
		data, err := web.Files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		assets[name] = &asset{name: name, contentType: contentType, tag: `"` + hex.EncodeToString(sum[:12]) + `"`, modified: modified}
		return nil
	})
	if err != nil {
		panic(err) // An embedded file can always be read.
	}
	return &assetSet{byPath: assets}
}

// assetSet holds the assets.
type assetSet struct {
	byPath map[string]*asset
	pack   sync.Once
}

// packAll compresses the assets that are text. It happens once, with the first
// page that is looked at.
func (s *assetSet) packAll() {
	packer := gzip.NewWriter(nil)
	for _, a := range s.byPath {
		if !strings.HasPrefix(a.contentType, "text/") {
			continue
		}
		data, err := web.Files.ReadFile(a.name)
		if err != nil {
			continue
		}
		var b bytes.Buffer
		packer.Reset(&b)
		// Writing to a buffer does not fail.
		_, _ = packer.Write(data)
		_ = packer.Close()
		a.packed = bytes.Clone(b.Bytes())
	}
}

// serve writes an asset. A browser may keep it, but asks each time whether it
// is still the same, so that a page never meets the script of another version.
func (s *assetSet) serve(w http.ResponseWriter, r *http.Request, a *asset) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		s.pack.Do(s.packAll)
		if a.packed != nil {
			header.Set("ETag", a.tag[:len(a.tag)-1]+`-gzip"`)
			header.Set("Content-Encoding", "gzip")
			http.ServeContent(w, r, "", a.modified, bytes.NewReader(a.packed))
			return
		}
	}
	data, err := web.Files.ReadFile(a.name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	header.Set("ETag", a.tag)
	http.ServeContent(w, r, "", a.modified, bytes.NewReader(data))
}

// acceptsGzip reports whether a client takes gzip. A client that gives it a
// weight is taken at its word only as far as 0.
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(coding, " ", ""), ";")
		if name == "gzip" {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
