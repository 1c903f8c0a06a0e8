package bench

import "container/heap"

// Simulation describes a service whose nodes send one mailing.
type Simulation struct {
	Name        string
	Sources     int
	Readers     int
	Nodes       int
	Cores       int // per node
	Connections int // per node
	DBCores     int // cores of the PostgreSQL server
	Limit       int // emails per minute that receivers accept from all nodes together; 0 means no limit
	Costs       UnitCosts
}

// Services are the sizes that docs/scale.md describes.
var Services = []Simulation{
	{Name: "ministry", Sources: 100, Readers: 50_000, Nodes: 1, Cores: 2, Connections: 4, DBCores: 2},
	{Name: "province", Sources: 3000, Readers: 500_000, Nodes: 2, Cores: 2, Connections: 8, DBCores: 4},
	{Name: "nation", Sources: 100_000, Readers: 10_000_000, Nodes: 20, Cores: 4, Connections: 32, DBCores: 16},
}

// SimulationFigures are the results of a simulation.
type SimulationFigures struct {
	Name      string             `json:"name,omitempty"`
	Sources   int                `json:"sources"`
	Readers   int                `json:"readers"`
	Nodes     int                `json:"nodes"`
	PerSecond float64            `json:"messages_per_s"`
	Mailing   float64            `json:"mailing_s"`
	First     string             `json:"saturated_first"`
	Busy      map[string]float64 `json:"busy"`             // share of the mailing's time for which each resource works
	Collect   float64            `json:"collecting_cores"` // cores of all nodes, on average over the day
	DatabaseG float64            `json:"database_gb"`      // after a year
	CoreHours float64            `json:"core_hours_per_million"`
	SentGB    float64            `json:"sent_gb_per_million"`
}

// The resources of a service.
const (
	nodeCPU     = "CPU of the nodes"
	dbCPU       = "CPU of PostgreSQL"
	dbLog       = "commits of PostgreSQL"
	network     = "network of the nodes"
	connections = "connections"
	receivers   = "limits of receivers"
)

const secondsADay = 24 * 60 * 60

// Run simulates a part of the mailing, event by event, and extrapolates.
func (s Simulation) Run() SimulationFigures {
	c := s.Costs
	collected := float64(s.Sources) * (c.Collections*c.CollectionCPU + c.Articles*c.ArticleCPU) / 1000 / secondsADay // cores
	stored := float64(s.Sources) * c.Articles * c.ArticleDBCPU / 1000 / secondsADay
	sample := min(s.Readers, 10_000*s.Nodes)
	w := newWorld(s, 1-min(0.9, collected/float64(s.Nodes*s.Cores)), 1-min(0.9, stored/float64(s.DBCores)))
	took := w.run(sample)
	perSecond := float64(sample) / took
	if limit := float64(s.Limit) / 60; limit > 0 && limit < perSecond {
		for name := range w.worked {
			w.worked[name] *= limit / perSecond
		}
		w.worked[receivers], perSecond = took, limit
	}
	compose := float64(s.Readers) * c.ComposeCPU / 1000 // time of one node
	out := SimulationFigures{
		Name: s.Name, Sources: s.Sources, Readers: s.Readers, Nodes: s.Nodes, PerSecond: perSecond, Mailing: compose + float64(s.Readers)/perSecond,
		Busy: make(map[string]float64), Collect: collected, SentGB: c.MailKB, CoreHours: 1e6 * (w.cpuEach + c.ComposeCPU/1000) / 3600,
		DatabaseG: (365*float64(s.Sources)*c.Articles*c.ArticleKB + float64(s.Readers)*(c.ReaderKB+c.Weeks*c.DeliveryKB)) / 1e6,
	}
	for name, seconds := range w.worked {
		out.Busy[name] = seconds / took
		if out.First == "" || out.Busy[name] > out.Busy[out.First] || out.Busy[name] == out.Busy[out.First] && name < out.First {
			out.First = name
		}
	}
	return out
}

// world is the state of a simulation. Times are in seconds.
type world struct {
	s       Simulation
	now     float64
	queue   events
	nodes   []*simNode
	db      *station
	log     *flusher
	left    int
	done    int
	worked  map[string]float64 // seconds for which each resource worked, divided by its number
	cpuEach float64
}

// simNode is a node: its connections take turns at its processor, and share its commits.
type simNode struct {
	cpu, network *station
	inFlight     int      // emails between their beginning and the reply
	waiting      []func() // hand-overs that wait for a commit
	committing   bool
	timer        int // number of the current wait for other connections
}

func newWorld(s Simulation, nodeSpeed, dbSpeed float64) *world {
	w := &world{s: s, worked: make(map[string]float64)}
	w.db = &station{w: w, name: dbCPU, servers: s.DBCores, slow: 1 / dbSpeed, part: 1 / float64(s.DBCores)}
	w.log = &flusher{w: w}
	for range s.Nodes {
		n := float64(s.Nodes)
		w.nodes = append(w.nodes, &simNode{
			cpu:     &station{w: w, name: nodeCPU, servers: s.Cores, slow: 1 / nodeSpeed, part: 1 / n / float64(s.Cores)},
			network: &station{w: w, name: network, servers: 1, slow: 1, part: 1 / n},
		})
	}
	return w
}

// run sends a number of emails and returns how long that takes.
func (w *world) run(emails int) float64 {
	w.left = emails
	for _, n := range w.nodes {
		for range w.s.Connections {
			w.email(n)
		}
	}
	for len(w.queue) > 0 && w.done < emails {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	w.cpuEach = (w.worked[nodeCPU]*float64(w.s.Nodes*w.s.Cores) + w.worked[dbCPU]*float64(w.s.DBCores)) / float64(emails)
	return w.now
}

func (w *world) after(seconds float64, do func()) { heap.Push(&w.queue, event{w.now + seconds, do}) }

// email lets a connection of a node send its next email.
func (w *world) email(n *simNode) {
	if w.left == 0 {
		return
	}
	w.left--
	n.inFlight++
	c := w.s.Costs
	n.cpu.serve(c.MailCPU/1000, func() {
		n.network.serve(c.MailKB*8/1000/c.NodeMbit, func() {
			w.handOver(n, func() {
				w.after(c.Reply/1000, func() {
					w.done++
					n.inFlight--
					w.worked[connections] += c.Reply / 1000 / float64(w.s.Nodes*w.s.Connections)
					w.db.serve(c.MailDBCPU/1000, func() {}) // PostgreSQL writes many outcomes at once, while emails are sent
					w.email(n)
				})
			})
		})
	})
}

// handOver commits a hand-over as the ledger does: the last of the waiting connections commits for all, or the first
// one after a moment.
func (w *world) handOver(n *simNode, then func()) {
	n.waiting = append(n.waiting, then)
	switch {
	case n.committing:
	case len(n.waiting) >= n.inFlight:
		w.commit(n)
	case len(n.waiting) == 1:
		w.gather(n)
	}
}

func (w *world) gather(n *simNode) {
	n.timer++
	mine := n.timer
	w.after(w.s.Costs.Gather/1000, func() {
		if mine == n.timer && !n.committing && len(n.waiting) > 0 {
			w.commit(n)
		}
	})
}

func (w *world) commit(n *simNode) {
	all := n.waiting
	n.waiting, n.committing = nil, true
	n.cpu.serve(w.s.Costs.CommitCPU/1000, func() {
		w.db.serve(w.s.Costs.CommitDBCPU/1000, func() {
			w.log.flush(func() {
				n.committing = false
				for _, then := range all {
					then()
				}
				if len(n.waiting) > 0 && len(n.waiting) >= n.inFlight {
					w.commit(n)
				} else if len(n.waiting) > 0 {
					w.gather(n)
				}
			})
		})
	})
}

// station is a resource with a number of servers. It serves in the order of arrival.
type station struct {
	w       *world
	name    string
	servers int
	slow    float64 // factor by which other work prolongs each service
	part    float64 // share of the resource that one server represents
	busy    int
	waiting []work
}

type work struct {
	seconds float64
	then    func()
}

func (st *station) serve(seconds float64, then func()) {
	if st.busy == st.servers {
		st.waiting = append(st.waiting, work{seconds, then})
		return
	}
	st.busy++
	st.w.after(seconds*st.slow, func() {
		st.w.worked[st.name] += seconds * st.slow * st.part
		st.busy--
		if len(st.waiting) > 0 {
			next := st.waiting[0]
			st.waiting = st.waiting[1:]
			st.serve(next.seconds, next.then)
		}
		then()
	})
}

// flusher writes PostgreSQL's log for all commits that wait when it begins.
type flusher struct {
	w       *world
	busy    bool
	waiting []func()
}

func (f *flusher) flush(then func()) {
	f.waiting = append(f.waiting, then)
	if !f.busy {
		f.next()
	}
}

func (f *flusher) next() {
	all := f.waiting
	f.waiting, f.busy = nil, len(all) > 0
	if !f.busy {
		return
	}
	f.w.after(f.w.s.Costs.Flush/1000, func() {
		f.w.worked[dbLog] += f.w.s.Costs.Flush / 1000
		for _, then := range all {
			then()
		}
		f.next()
	})
}

// event is an action that happens at a simulated time.
type event struct {
	at float64
	do func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
