package policy

import "strings"

// State is a stage in the life of a document.
type State string

// The states, in the order of a document's life. The zero State is that of an
// article that is not a document.
const (
	StateConsultation State = "consultation" // comments are accepted, or were: see Until
	StatePromised     State = "promised"     // another text announces it
	StateIssued       State = "issued"       // the text does not say from when it is in force
	StateNotYet       State = "not-yet"      // in force from a later day
	StateInForce      State = "in-force"
	StateExpiring     State = "expiring" // within ExpiringDays
	StateExpired      State = "expired"
	StateRepealed     State = "repealed"
	StateSuperseded   State = "superseded" // a later version is in force
	StateWithdrawn    State = "withdrawn"  // the site removed it
)

// ExpiringDays is the number of days before its last day in which a document counts as
// expiring.
const ExpiringDays = 90

// Event is a change to a document that its own text does not state: another document
// repealed, amended or extended it, or its page disappeared.
type Event struct {
	State State  // StateRepealed, StateSuperseded, StateWithdrawn; StateInForce with Until for a longer term
	On    Date   // first day; zero means at once
	Until Date   // the new last day, if the term was extended
	From  string // the sentence or page that states it
}

// Status is the state of a document on a day, from when and until when, and the evidence.
type Status struct {
	State State
	Since Date   // zero means unknown
	Until Date   // last day of the state, if known
	From  string // provenance: a sentence, a label, an event
}

// StatusOf returns the state of a document on a day, by its own facts and by
// events. The most important event counts: repealed before superseded before
// withdrawn before anything in its own text.
func StatusOf(f Facts, events []Event, on Date) Status {
	if f.Kind == KindConsultation {
		return Status{StateConsultation, firstDate(f.OpensOn, f.PublishedOn, f.IssuedOn), f.DeadlineOn, firstText(f.DeadlineFrom, f.PublishedFrom)}
	}
	if f.Kind != KindDocument {
		return Status{}
	}
	expires, expiresFrom := f.ExpiresOn, f.ExpiresFrom
	var end *Event
	for i, e := range events {
		if e.State == StateInForce {
			if expires.Before(e.Until) {
				expires, expiresFrom = e.Until, e.From
			}
			continue
		}
		if !e.On.IsZero() && on.Before(e.On) {
			if e.State == StateRepealed && (expires.IsZero() || e.On.Before(expires)) {
				expires, expiresFrom = e.On.AddDays(-1), e.From // the document is known to end
			}
			continue
		}
		if end == nil || weight[e.State] > weight[end.State] || weight[e.State] == weight[end.State] && e.On.Before(end.On) {
			end = &events[i]
		}
	}
	if end != nil {
		return Status{end.State, end.On, Date{}, end.From}
	}
	if s, ok := markedState(f.Marker); ok && s != StateInForce {
		return Status{s, lostOn(f), Date{}, "“" + f.Marker + "”"}
	}
	switch {
	case !expires.IsZero() && expires.Before(on):
		return Status{StateExpired, expires.AddDays(1), Date{}, expiresFrom}
	case !f.EffectiveOn.IsZero() && on.Before(f.EffectiveOn):
		return Status{StateNotYet, firstDate(f.IssuedOn, f.PublishedOn), f.EffectiveOn.AddDays(-1), f.EffectiveFrom}
	case !expires.IsZero() && expires.Before(on.AddDays(ExpiringDays+1)):
		return Status{StateExpiring, f.EffectiveOn, expires, expiresFrom}
	case !f.EffectiveOn.IsZero():
		return Status{StateInForce, f.EffectiveOn, expires, f.EffectiveFrom}
	case !f.FirstEffectiveOn.IsZero() && !on.Before(f.FirstEffectiveOn):
		return Status{StateInForce, Date{}, expires, "正文"} // it is unknown from when this version is in force
	}
	if s, ok := markedState(f.Marker); ok {
		return Status{s, Date{}, expires, "“" + f.Marker + "”"}
	}
	return Status{StateIssued, firstDate(f.IssuedOn, f.PublishedOn), expires, firstText(f.IssuedFrom, f.PublishedFrom)}
}

// Word returns the key of the word that pages, feeds and commands show for a status on a
// day: the state, but "open" or "closed" for a consultation, and "" if the text does not
// say whether it is open or in force.
func (s Status) Word(on Date) string {
	switch {
	case s.State == StateIssued || s.State == StateConsultation && s.Until.IsZero():
		return ""
	case s.State == StateConsultation && s.Until.Before(on):
		return "closed"
	case s.State == StateConsultation:
		return "open"
	}
	return string(s.State)
}

// weight orders the events that end a document.
var weight = map[State]int{StateRepealed: 3, StateSuperseded: 2, StateWithdrawn: 1}

// markedState returns the state that the page itself states.
func markedState(marker string) (State, bool) {
	switch marker = squeeze(marker); {
	case marker == "" || strings.Contains(marker, "部分"): // the rest remains in force
		return "", false
	case strings.Contains(marker, "废止"):
		return StateRepealed, true
	case strings.Contains(marker, "失效"), strings.Contains(marker, "无效"):
		return StateExpired, true
	case strings.Contains(marker, "修改"), strings.Contains(marker, "修订"):
		return StateSuperseded, true
	case strings.Contains(marker, "有效"):
		return StateInForce, true
	}
	return "", false
}

func firstDate(dates ...Date) Date {
	for _, d := range dates {
		if !d.IsZero() {
			return d
		}
	}
	return Date{}
}

func firstText(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// lostOn returns when a document that its page marks as invalid became so, according to the
// same page; a last day in its own text does not count.
func lostOn(f Facts) Date {
	if f.ExpiresOn.IsZero() || !strings.Contains(f.ExpiresFrom, f.Marker) {
		return Date{}
	}
	return f.ExpiresOn
}
