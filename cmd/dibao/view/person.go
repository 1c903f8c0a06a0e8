package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/subscribers"
)

// PersonEvent is one event in a reader's history, from any package.
type PersonEvent struct {
	At     time.Time  `json:"at"`
	Event  string     `json:"event"`
	List   *string    `json:"list"`
	Detail *string    `json:"detail"`
	NextAt *time.Time `json:"next_at"` // the next try to send an email that waits
}

// Person is everything that is known about a reader, in JSON.
type Person struct {
	ID int64 `json:"id"`
	subscribers.Person
	TimeLine []PersonEvent `json:"time_line"`
}

// OfPerson returns the view of a reader with the given history.
func OfPerson(id int64, p subscribers.Person) Person {
	v := Person{ID: id, Person: p, TimeLine: []PersonEvent{}}
	for _, e := range p.Consents {
		detail := strings.Trim(orEmpty(e.Detail)+", "+orEmpty(e.Network), ", ")
		v.TimeLine = append(v.TimeLine, PersonEvent{At: e.At, Event: e.Event, List: e.List, Detail: cli.Null(detail)})
	}
	for _, e := range p.History {
		v.TimeLine = append(v.TimeLine, PersonEvent{At: e.At, Event: e.Event, Detail: e.Detail, NextAt: e.NextAt})
	}
	slices.SortStableFunc(v.TimeLine, func(x, y PersonEvent) int { return cmp.Compare(x.At.UnixNano(), y.At.UnixNano()) })
	return v
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
