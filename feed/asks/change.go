package asks

import (
	"dibao/feed/amend"
	"dibao/policy"
	"dibao/policy/call"
)

// Change describes what a notice does to a call: 截止日期由2026-06-05延至2026-06-25. day formats a
// date.
func (w Words) Change(c amend.Change, day func(policy.Date) string) string {
	moves := ""
	switch {
	case !c.MovesDay():
	case c.Was.IsZero():
		moves = w.say("change.day", day(c.Until))
	case c.Until.Before(c.Was):
		moves = w.say("change.earlier", day(c.Was), day(c.Until))
	default:
		moves = w.say("change.later", day(c.Was), day(c.Until))
	}
	switch {
	case moves == "":
		return w.say("change." + string(c.Kind))
	case c.Kind == call.ChangeMoved:
		return moves
	}
	return w.say("change.and", w.say("change."+string(c.Kind)), moves)
}

// State describes in words the state of a call that notices have changed.
func (w Words) State(s amend.State) string {
	return w.Change(amend.Change{Kind: s.Kind, Was: s.Was, Until: s.Until}, policy.Date.String)
}
