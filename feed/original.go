package feed

import (
	"context"
	"encoding/json"
	"strings"

	"dibao/internal/database"
)

// byLink is the prefix of the name of a document that is known only by the address of its
// page; until that page is collected, the document is not shown.
const byLink = "url:"

// pageName returns the name by which a link refers to the document of a page.
func pageName(address string) string {
	address, _, _ = strings.Cut(address, "#")
	_, rest, _ := strings.Cut(address, "://")
	if rest = strings.TrimSuffix(rest, "/"); rest == "" {
		return ""
	}
	return byLink + rest
}

// loadPages looks up the documents whose pages have these addresses.
func (b *batch) loadPages(ctx context.Context, names []string) error {
	var addresses []string
	for _, n := range names {
		if page, ok := strings.CutPrefix(n, byLink); ok && !b.loaded["page "+n] {
			b.loaded["page "+n] = true
			for _, form := range []string{"http://" + page, "https://" + page} {
				addresses = append(addresses, form, form+"/")
			}
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	list, err := json.Marshal(addresses)
	if err != nil {
		return err
	}
	type found struct {
		url string
		id  int64
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (f found, err error) {
		err = row.Scan(&f.url, &f.id)
		return f, err
	}, `SELECT a.url, c.document FROM articles a JOIN carriers c ON c.article = a.id WHERE a.hidden = 0 AND a.url IN (`+b.st.db.Dialect().Texts("$1")+`) ORDER BY a.id LIMIT 500`, string(list))
	if err != nil {
		return err
	}
	for _, f := range all {
		c := b.byID[f.id]
		if c == nil {
			d, err := documentByID(ctx, b.tx, f.id)
			if err != nil {
				return err
			}
			c = &candidate{id: f.id, number: d.Number, title: d.Title, region: d.Region, work: d.Work, level: d.Level, issuers: d.Issuers, issuedOn: d.IssuedOn, on: d.On()}
			b.byID[f.id] = c
		}
		b.addName(name{pageName(f.url), "inner"}, c)
	}
	return nil
}
