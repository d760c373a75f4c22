package webui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
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

// loadAssets returns the assets by their path. Files that are compiled into a
// program have no date: they count as new since this start of the program.
func loadAssets() map[string]*asset {
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
		assets[name] = &asset{name, contentType, `"` + hex.EncodeToString(sum[:12]) + `"`, modified}
		return nil
	})
	if err != nil {
		panic(err) // An embedded file can always be read.
	}
	return assets
}

// serve writes the asset. A browser may keep it, but asks each time whether it
// is still the same, so that a page never meets the script of another version.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	data, err := web.Files.ReadFile(a.name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", a.tag)
	http.ServeContent(w, r, "", a.modified, bytes.NewReader(data))
}
