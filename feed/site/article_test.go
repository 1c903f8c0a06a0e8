package site_test

import (
	"strings"
	"testing"

	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// Readers see warnings about an article in their language, without errors, addresses of
// private sources, or advice for admins.
func TestPublicWarnings(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		s.Exec(`UPDATE articles SET warnings = $1`, `["its PDF was not read: http://127.0.0.1:80/secret.pdf",
			{"code":"file-unread","params":["get http://10.0.0.7/secret.pdf: connection refused"]},{"code":"text-by-shape"},{"code":"redated","params":["2023-02-09","2015-08-10"]}]`)
		for language, want := range map[string][]string{
			"zh": {"附件未能读取</li>", "列表所示日期为 2023-02-09，网址中的日期为 2015-08-10"},
			"en": {"its file could not be read</li>", "the date is 2023-02-09 in the list and 2015-08-10 in the address"},
		} {
			page := s.Read("/articles/1?lang=" + language)
			for _, w := range want {
				if !strings.Contains(page, w) {
					t.Errorf("%s: no %q", language, w)
				}
			}
			for _, bad := range []string{"secret", "127.0.0.1", "10.0.0.7", "selector", "PDF was not"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s: the page says %q", language, bad)
				}
			}
		}
	})
}
