package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
)

// callOf reads what an article asks of its readers; nil for nothing.
func callOf(f policy.Facts) *call.Call {
	c, ok := call.Extract(f.Title, f.Paragraphs, call.MadeOn(f.IssuedOn, f.PublishedOn))
	if !ok {
		return nil
	}
	return &c
}

// encodeCall writes a call as it is stored, "" for none.
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

// CallsOf returns what articles ask of their readers, by id; those that ask for
// nothing are left out.
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
