package verdict

import "time"

const (
	// GreylistPause is the pause for greylisting, which asks for 5 to 15 minutes.
	GreylistPause = 10 * time.Minute
	slowPause     = time.Hour // as QQ and NetEase request
)

// Backoff returns the pause after the nth attempt (from 1): 15 m, 30 m, 1 h … at most 8 h,
// with up to a quarter more or less by jitter, which is in [0, 1).
func Backoff(n int, jitter float64) time.Duration {
	pause := 15 * time.Minute << min(max(n-1, 0), 5)
	return time.Duration(float64(pause) * (0.75 + jitter/2))
}

// temporaryRules are for 4xx; a reply that matches none waits for Backoff.
var temporaryRules = []rule{
	{text: neteaseMark, verdict: slower},
	{enhanced: []string{"4.2.2"}, verdict: later},
	{text: greylistText, verdict: greylit},
	{codes: []int{450, 451}, enhanced: []string{"4.7.1"}, not: relayText, verdict: greylit},
	{text: rateText, verdict: Verdict{Class: Temporary, Slow: true}},
}
