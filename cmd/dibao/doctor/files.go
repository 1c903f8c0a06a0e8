package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dibao/internal/config"
	"dibao/internal/database"
)

// privateFiles returns the files and folders that contain passwords, keys or
// the addresses of readers, as far as the configuration names them.
func privateFiles(c config.Config) []string {
	files := append([]string{}, c.SecretFiles...)
	if len(c.Server.ACMEHosts) > 0 {
		files = append(files, c.Server.ACMEDir)
	}
	files = append(files, c.Server.TLSKey, c.Mail.InboundKey)
	if db := database.File(c.Database.URL.Reveal()); db != "" {
		beside, _ := filepath.Glob(escapeGlob(db) + "-*") // its log and the journals of deliveries; the pattern is always valid
		files = append(append(files, db), beside...)
	}
	return files
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// examineFiles reports each private file whose mode lets others read it.
func examineFiles(c config.Config) []Finding {
	var open []Finding
	for _, path := range privateFiles(c) {
		info, err := os.Stat(path)
		if path == "" || err != nil || !OthersMayRead(info) {
			continue // a missing file is reported where it is needed
		}
		mode := "600"
		if info.IsDir() {
			mode = "700"
		}
		open = append(open, Finding{"files", "warning", fmt.Sprintf("%s contains secrets or readers' addresses, and its mode %04o gives other users access; run: chmod %s %s", path, info.Mode().Perm(), mode, path)})
	}
	if len(open) > 0 {
		return open
	}
	return []Finding{{"files", "ok", "other users cannot read passwords, keys or the database"}}
}
