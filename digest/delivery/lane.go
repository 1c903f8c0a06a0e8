package delivery

import (
	"math"
	"slices"
	"strings"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/nodes"
)

// Limit limits what one group of domains gets. Zero means no limit.
type Limit struct {
	Connections   int // concurrent connections
	PerMinute     int // messages per minute
	PerConnection int // messages before a connection is closed
}

// domainGroups lists domains that one provider serves, by the domain that names the
// group: if one of them refuses a message, so do the others.
var domainGroups = map[string][]string{
	"qq.com":      {"foxmail.com", "vip.qq.com"},
	"163.com":     {"126.com", "yeah.net", "188.com", "vip.163.com", "vip.126.com"},
	"sina.com":    {"sina.cn", "vip.sina.com"},
	"139.com":     {"10086.cn"},
	"aliyun.com":  {"alibaba-inc.com"},
	"gmail.com":   {"googlemail.com"},
	"outlook.com": {"hotmail.com", "live.com", "msn.com", "live.cn", "outlook.fr", "outlook.de", "hotmail.fr", "hotmail.co.uk"},
	"yahoo.com":   {"ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "aol.com"},
	"icloud.com":  {"me.com", "mac.com"},
}

// StandardLimits are for sending directly to the providers' servers: they accept few
// messages per connection and per minute.
var StandardLimits = map[string]Limit{
	"qq.com":  {Connections: 2, PerMinute: 60, PerConnection: 20},
	"163.com": {Connections: 2, PerMinute: 60, PerConnection: 20},
}

// lane is the state of sending to a group of domains: its queue, and how much the group
// accepts at the moment.
type lane struct {
	name  string
	limit Limit

	queue   []job
	ready   bool // the lane is in the run's list of lanes that have something to send
	active  int  // messages that are being sent
	stalled int  // active messages that have waited long for the server
	slow    bool // the last message stalled: others go first
	rests   int  // messages of other lanes that go first, because of a temporary refusal

	window    int       // concurrent messages: grows with each success, halves when the server asks to slow down
	perMinute float64   // as window, for limit.PerMinute
	tokens    float64   // messages that may be sent now
	promised  float64   // messages that were requeued until there is a token for each
	filledAt  time.Time // when tokens was last filled
	noneUntil time.Time // no message was found that the limit postponed: none is looked for before this time
	heldUntil time.Time // nothing is sent before this time
	heldBy    cause     // the answer because of which nothing is sent
	policy    int       // refusals by policy in a row
	broken    int       // connections in a row that failed
}

// lanes finds the lane of a domain.
type lanes struct {
	group  map[string]string // domain to the name of its group
	limits map[string]Limit  // by name of group
	byName map[string]*lane
}

func newLanes(limits map[string]Limit) *lanes {
	l := &lanes{group: make(map[string]string), limits: make(map[string]Limit), byName: make(map[string]*lane)}
	for name, others := range domainGroups {
		l.group[name] = name
		for _, d := range others {
			l.group[d] = name
		}
	}
	for domain, limit := range limits {
		domain = strings.ToLower(domain)
		if _, ok := l.group[domain]; !ok {
			l.group[domain] = domain
		}
		l.limits[l.group[domain]] = limit
	}
	return l
}

// maxLanes is the number of lanes that are remembered between runs.
const maxLanes = 10_000

// of returns the lane for a reader's domain.
func (l *lanes) of(domain string) *lane {
	name := domain
	if g, ok := l.group[domain]; ok {
		name = g
	}
	if x, ok := l.byName[name]; ok {
		return x
	}
	if len(l.byName) >= maxLanes {
		for n, x := range l.byName {
			if x.active == 0 && len(x.queue) == 0 && !x.ready {
				delete(l.byName, n)
			}
		}
	}
	x := newLane(name, l.limits[name], 4)
	l.byName[name] = x
	return x
}

// newLane returns a lane that begins with a part of its messages per minute.
func newLane(name string, limit Limit, part int) *lane {
	x := &lane{name: name, limit: limit, window: 1, perMinute: max(1, float64(limit.PerMinute)/float64(part))}
	x.tokens = 1
	return x
}

// open reports whether the lane may send one more message now; most is the
// number of connections, share this node's share of the lane's own limit. It is
// called for each message, and most lanes have no limit and are not held.
func (x *lane) open(most int, now func() time.Time, share func() nodes.Share) bool {
	if !x.heldUntil.IsZero() && now().Before(x.heldUntil) {
		return false
	}
	if x.limit.Connections > 0 {
		most = min(most, share().Count(x.limit.Connections, x.name))
	}
	return x.active < min(x.window, most)
}

// yields reports whether lanes that are not slow go first: a slow lane keeps one
// message in flight next to them. A lane whose server refuses everything for now rests:
// another try would also be refused, and cost other lanes their turns.
func (x *lane) yields() bool { return x.slow && x.active > 0 || x.rests > 0 }

// restsFor is the number of messages of other lanes that are sent between two that are
// refused temporarily.
const restsFor = 20

// cause is why a delivery waits: the answer of a server, or an error if the code is 0.
type cause struct {
	code  int
	reply string
}

// held returns until when the lane sends nothing, and why: because of an answer, or because
// other nodes use all its connections.
func (x *lane) held(now time.Time, share nodes.Share) (until time.Time, why cause, held bool) {
	switch {
	case now.Before(x.heldUntil):
		return x.heldUntil, x.heldBy, true
	case x.limit.Connections > 0 && share.Count(x.limit.Connections, x.name) == 0:
		return now.Add(slowLanePause), cause{reply: waitsForNodes}, true
	}
	return time.Time{}, cause{}, false
}

// pass takes a token of this node's part. If there is none, it does not wait, but returns the
// time at which there will be one.
func (x *lane) pass(now time.Time, share nodes.Share) (at time.Time, ok bool) {
	if x.limit.PerMinute <= 0 {
		return now, true
	}
	rate := x.refill(now, share)
	switch {
	case rate == 0:
		return now.Add(nodes.Beat), false
	case x.tokens >= 1:
		x.tokens--
		return now, true
	}
	x.promised++
	return now.Add(time.Duration((x.promised - x.tokens) / rate * float64(time.Minute))), false
}

// limited is the reply of the deliveries that the lane's limit of messages a minute postponed.
func (x *lane) limited() string { return waitsForLimit + " to " + x.name }

// spare returns how many messages may be sent before the time for which pass promised them.
func (x *lane) spare(now time.Time, share nodes.Share) int {
	if _, _, held := x.held(now, share); held || x.limit.PerMinute <= 0 || len(x.queue) > 0 || now.Before(x.noneUntil) {
		return 0
	}
	return x.allowance(now, share, math.MaxInt)
}

// allowance returns how many of n messages may be sent now.
func (x *lane) allowance(now time.Time, share nodes.Share, n int) int {
	if x.limit.PerMinute <= 0 {
		return n
	}
	if x.refill(now, share) == 0 {
		return 0
	}
	return min(n, int(x.tokens))
}

// refill adds the tokens for the elapsed time. It returns this node's messages per minute.
func (x *lane) refill(now time.Time, share nodes.Share) (rate float64) {
	rate = share.Rate(x.perMinute)
	if x.filledAt.IsZero() || now.Before(x.filledAt) {
		x.filledAt = now
	}
	passed := rate * now.Sub(x.filledAt).Minutes()
	x.tokens = min(x.tokens+passed, max(1, rate*atOnce))
	x.promised = max(0, x.promised-passed)
	x.filledAt = now
	return rate
}

// atOnce is the part of a minute's messages that may be sent at the same time: no
// minute exceeds the limit by more than that.
const atOnce = 0.05

// succeeded raises the limits of the lane a little.
func (x *lane) succeeded() {
	x.policy, x.broken = 0, 0
	x.widen()
	x.perMinute = min(x.perMinute*1.05, float64(x.limit.PerMinute))
}

// widen allows one more concurrent message.
func (x *lane) widen() { x.window = min(x.window+1, 1000) }

// learn adjusts the lane after a refusal. It reports whether the lane is now paused
// because the domain's policy refuses our mail: an admin must look into it.
func (x *lane) learn(v verdict.Verdict, refusal cause, now time.Time) (paused bool) {
	if v.Retries() {
		x.rests = restsFor
	}
	switch {
	case v.Class != verdict.Temporary || v.Full:
	case v.Retry == verdict.GreylistPause:
		// The server answers, but each reader must be tried once before it accepts any email: one at
		// a time, that takes minutes for a large provider.
		x.widen()
	default:
		x.slowDown()
		if v.Slow && v.Retry > 0 && x.window == 1 {
			x.wait(now.Add(v.Retry/4), refusal)
		}
	}
	if v.Class != verdict.Policy {
		return false
	}
	x.policy++
	if x.policy < policyRefusals {
		return false
	}
	x.policy = 0
	x.wait(now.Add(policyPause), refusal)
	return true
}

const (
	policyRefusals = 3             // this many in a row pause a domain group
	policyPause    = 4 * time.Hour // for this long
)

func (x *lane) slowDown() {
	x.window = max(1, x.window/2)
	x.perMinute = max(x.perMinute/2, 1)
}

// wait stops the lane for a time.
func (x *lane) wait(until time.Time, why cause) {
	if until.After(x.heldUntil) {
		x.heldUntil, x.heldBy = until, why
	}
}

// hold stops the lane for a time; afterwards, one message tries first.
func (x *lane) hold(until time.Time, why cause) {
	x.window = 1
	x.wait(until, why)
}

// unreachable records that no connection to the domain could be made.
func (x *lane) unreachable(err error, now time.Time) {
	x.slowDown()
	if x.broken++; x.broken >= 3 {
		x.wait(now.Add(15*time.Minute), cause{reply: err.Error()})
	}
}

func latest(a, b time.Time) time.Time { return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare) }
