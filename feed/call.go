package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/feed/amend"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
)

// encodeCall returns a call as it is stored; "" if there is none.
func encodeCall(c *call.Call) (string, error) {
	if c == nil {
		return "", nil
	}
	b, err := json.Marshal(c)
	return string(b), err
}

func decodeCall(s string) (*call.Call, error) {
	if s == "" {
		return nil, nil
	}
	c := new(call.Call)
	return c, json.Unmarshal([]byte(s), c)
}

// CallsOf returns what articles ask of readers, by id; articles that ask for nothing are
// missing from the map.
func (st *Store) CallsOf(ctx context.Context, ids []int64) (map[int64]call.Call, error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	var found map[int64]call.Call
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		found, err = database.CollectMap(ctx, tx, func(r database.Row) (id int64, c call.Call, err error) {
			var stored string
			if err = r.Scan(&id, &stored); err == nil {
				err = json.Unmarshal([]byte(stored), &c)
			}
			return id, c, err
		}, `SELECT id, call FROM articles WHERE id IN (`+st.db.Dialect().IDs("$1")+`) AND call <> ''`, string(list))
		return err
	})
	return found, err
}

// amending returns the keys that identify an article as a call, or those of the call that it
// changes. Most articles are neither a call nor a change.
func (a *batchArticle) amending() amend.StoredArticle {
	out := amend.StoredArticle{Article: a.ID, IsNew: a.isNew}
	f := a.Facts
	add := func(kind string, values ...string) {
		for _, v := range values {
			out.Keys = append(out.Keys, amend.KeyOf(kind, v))
		}
	}
	if c, ok := call.ReadChange(f.Title, f.Paragraphs, call.MadeOn(f.IssuedOn, f.PublishedOn)); ok {
		out.Notice = &c
		for _, x := range f.Citations {
			if x.Number != f.DocumentNumber {
				add(amend.ByNumber, x.Number)
			}
		}
		for _, title := range c.Titles {
			add(amend.ByTitle, policy.TitleKey(title))
		}
		add(amend.ByProject, c.Projects...)
		add(amend.BySubject, c.Names...)
		return out
	}
	if a.Call == nil {
		return out
	}
	projects, names := call.Identity(*a.Call, f.Paragraphs)
	add(amend.ByNumber, f.DocumentNumber)
	add(amend.ByTitle, a.title().Key)
	add(amend.ByProject, projects...)
	add(amend.BySubject, names...)
	return out
}

// storeAmendments links calls with the notices that change them.
func (b *batch) storeAmendments(ctx context.Context) error {
	var all []amend.StoredArticle
	for _, a := range b.articles {
		x := a.amends
		if x.Article, x.IsNew = a.ID, a.isNew; !x.IsNew || len(x.Keys) > 0 || x.Notice != nil {
			all = append(all, x)
		}
	}
	return amend.Store(ctx, b.tx, b.st.db.Dialect(), b.now, all)
}

// keyCalls stores the keys of calls that were stored by a version of dibao without keys.
func (st *Store) keyCalls(ctx context.Context) error {
	for after := int64(0); ; {
		var page []int64
		var all []*batchArticle
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			page, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a
				WHERE a.call <> '' AND a.id > $1 AND NOT EXISTS (SELECT 1 FROM call_keys k WHERE k.article = a.id) ORDER BY a.id LIMIT $2`, after, rereadPage)
			if err == nil && len(page) > 0 {
				all, err = st.loadForStoring(ctx, tx, page)
			}
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		calls := make([]amend.StoredArticle, len(all))
		for i, a := range all {
			calls[i] = a.amending()
		}
		err = st.db.Write(ctx, func(tx *sql.Tx) error {
			if err := st.beginStoring(ctx, tx); err != nil {
				return err
			}
			return amend.Store(ctx, tx, st.db.Dialect(), st.Now(), calls)
		})
		if err != nil {
			return err
		}
		after = page[len(page)-1]
	}
}
