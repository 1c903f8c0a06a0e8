package channel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/redact"
)

// The states of a delivery.
const (
	stateWaiting   = "waiting"
	stateClaimed   = "claimed"
	stateSent      = "sent"
	stateFailed    = "failed"
	stateUncertain = "uncertain" // handed over twice and never answered
	statePaused    = "paused"    // together with its mailing
	stateCancelled = "cancelled"
)

// verdict is the meaning of a response for a delivery.
type verdict struct {
	state   string        // waiting: it is tried again; uncertain: it may have been posted
	text    string        // the words of the service
	advice  string        // what an admin can do; "" if unknown
	limited bool          // the group got too many messages, so all its channels wait
	after   time.Duration // how long to wait; 0 means not stated
}

// reply returns the sentence for admins.
func (v verdict) reply() string {
	text := v.text
	if v.advice != "" {
		text += ": " + v.advice
	}
	return database.Clip(redact.Text(text), maxReply)
}

// maxReply is the number of bytes that are kept of a service's reply.
const maxReply = 400

// notUnderstood is the verdict on a response that did not come from the service, such as the
// page of a proxy: the message may have been posted.
func notUnderstood(body []byte) verdict {
	start := database.Clip(redact.Text(string(body)), 80) // half a secret would not be recognized after truncation
	return verdict{state: stateUncertain, text: fmt.Sprintf("the response is not from the service: %q", start)}
}

// verdictOf returns the verdict on a request. handed reports whether the service may have
// got the whole message.
func (s service) verdictOf(res *fetch.Response, err error, handed bool) verdict {
	if err == nil {
		return s.judge(res.Body)
	}
	var status *fetch.StatusError
	var blocked *fetch.BlockedError
	switch {
	case errors.As(err, &status):
		return s.judgeStatus(status)
	case errors.As(err, &blocked):
		v := verdict{state: stateFailed, text: fmt.Sprintf("dibao does not connect to it: %s", blocked.Reason)}
		if blocked.Local {
			v.advice = "if the server is in your own network, add the channel again with --private"
		}
		return v
	case handed:
		return verdict{state: stateUncertain, text: fmt.Sprintf("no response: %s", causeOf(err))}
	}
	return verdict{state: stateWaiting, text: fmt.Sprintf("not reached: %s", causeOf(err))}
}

// judgeStatus judges a response with an error status, by the body if the service explains
// itself.
func (s service) judgeStatus(e *fetch.StatusError) verdict {
	text := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if json.Valid(e.Body) {
		if v := s.judge(e.Body); v.state == stateWaiting || v.state == stateFailed {
			if v.after == 0 {
				v.after = e.RetryAfter
			}
			return v
		}
	}
	switch {
	case e.Status == http.StatusTooManyRequests:
		return verdict{state: stateWaiting, text: text, limited: true, after: e.RetryAfter}
	case e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout:
		return verdict{state: stateUncertain, text: text} // the service behind the gateway may have it
	case e.Status >= 500 || e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooEarly:
		return verdict{state: stateWaiting, text: text, after: e.RetryAfter}
	case e.Status < 400:
		return verdict{state: stateFailed, text: text, advice: "the address redirects; use the address that it leads to"}
	}
	return verdict{state: stateFailed, text: text}
}

// causeOf returns the innermost reason of an error, without the address of the request.
func causeOf(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// The pauses between attempts, and the time after which a delivery that was never
// posted fails.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}

const giveUpAfter = 24 * time.Hour

// longestAfter is the maximum wait that a service can request.
const longestAfter = time.Hour

// afterOf returns the wait that a service requests, in units of unit, at most longestAfter.
// A negative number counts as 0: not specified.
func afterOf(n int64, unit time.Duration) time.Duration {
	return time.Duration(min(max(n, 0), int64(longestAfter/unit))) * unit
}

// retryIn returns how long after its nth attempt a delivery is tried again.
func (s service) retryIn(v verdict, attempts int64) time.Duration {
	if v.limited || v.after > 0 {
		wait := v.after
		if wait <= 0 {
			wait = s.wait
		}
		return min(wait, longestAfter-time.Second) + time.Second
	}
	return retryAfter[min(int(attempts), len(retryAfter))-1]
}
