package digest

import (
	"slices"
	"strconv"
	"strings"
)

// A journal says in a few bytes what a run did since the ledger's rows were last
// written: «h17 s17 h18 r18» is delivery 17 handed over and sent, 18 handed over
// and refused. It is committed before each final dot. To write a row of
// deliveries touches several indexes, to write the journal one page; the rows
// follow, many at a time.
type journal struct {
	handed []int64 // handed over and not answered yet: one a connection
	sent   []int64 // answered, and not yet written to their rows
	text   []byte
}

func (j *journal) handOver(id int64) {
	j.handed = append(j.handed, id)
	j.write('h', id)
}

// answered notes that it is known what became of a delivery, handed over or not.
func (j *journal) answered(id int64, sent bool) {
	handed := slices.Contains(j.handed, id)
	j.forget(id)
	switch {
	case sent:
		j.sent = append(j.sent, id)
		j.write('s', id)
	case handed:
		j.write('r', id)
	}
}

// forget drops a hand-over that was not made.
func (j *journal) forget(id int64) {
	if i := slices.Index(j.handed, id); i >= 0 {
		j.handed = slices.Delete(j.handed, i, i+1)
	}
}

func (j *journal) write(what byte, id int64) {
	if len(j.text) > 0 {
		j.text = append(j.text, ' ')
	}
	j.text = strconv.AppendInt(append(j.text, what), id, 36)
}

// rewrite writes the text anew from what is known.
func (j *journal) rewrite() {
	j.text = j.text[:0]
	for _, id := range j.sent {
		j.write('s', id)
	}
	for _, id := range j.handed {
		j.write('h', id)
	}
}

// inFlight is the text of what is not answered: what stays once the rows are written.
func (j *journal) inFlight() string {
	left := journal{handed: j.handed}
	left.rewrite()
	return string(left.text)
}

// parseJournal reads what a run left that ended without writing its rows. Words
// that it can't read say nothing.
func parseJournal(text string) journal {
	var j journal
	for word := range strings.FieldsSeq(text) {
		id, err := strconv.ParseInt(word[1:], 36, 64)
		if err != nil {
			continue
		}
		switch word[0] {
		case 'h':
			j.handOver(id)
		case 's', 'r':
			j.answered(id, word[0] == 's')
		}
	}
	return j
}
