package templates

import (
	"fmt"
	"html/template"
	"io"
)

// AdminPage contains the common parts of all pages for admins. Verb names the command that
// shows or changes the same: the pages change nothing.
type AdminPage struct {
	Page
	Section string // section of the navigation: overview, sources, mailings, lists, help
	At      string // when its figures were read
	Zone    string // time zone of its times
	Version string
	File    bool // it is a single file with its styles in it, and without links
}

// AdminFigure is a number at the head of a page; its label has a key below "admin.figure.".
// Bad marks a number that needs attention.
type AdminFigure struct {
	Key, Value, Note string
	Bad              bool
}

// AdminNeed is something that an admin should look at, with the commands for it.
type AdminNeed struct {
	Text, URL, Detail string
	Verbs             []string
	Bad               bool // needs attention now; otherwise it can wait
}

// AdminCount is a count of a state, whose name is in the page's language.
type AdminCount struct {
	Name, Class string
	Count       int
}

// AdminOverview shows the state of everything.
type AdminOverview struct {
	AdminPage
	Figures  []AdminFigure
	Needs    []AdminNeed
	More     int // needs that are not listed
	Lists    []AdminList
	Mailings []AdminMailing
	Reports  []AdminCount
	System   []Fact // Key is below "admin.system." in the catalog
}

// AdminList is a list in the overview of lists.
type AdminList struct {
	Slug, Title, URL string
	Next             string // when its next issue is due
	Overdue          bool   // its next issue is overdue: Next is when it was due
	Matched          string // number of articles that no issue has processed yet; – if unknown
	Readers          int
	Joined, Left     int // in the last four weeks
}

// AdminMailing is a mailing in a table.
type AdminMailing struct {
	Number                                         int64
	URL, Due, State, Class                         string
	Lists                                          string // titles of its lists; only on the overview
	NoEmails                                       string // why it has no emails; "" if it has some
	All, Sent, Waiting, Failed, Uncertain, NotSent int    // NotSent: none was sent, because the reader is suppressed
}

// AdminSources shows the states of all sources.
type AdminSources struct {
	AdminPage
	Counts  []AdminCount
	Rows    []AdminSource
	Ticks   []ChainTick // months above the days; At is in thousandths
	Since   string      // the first day with records
	Lags    []AdminLag
	LagsCut bool
	Days    int // number of days that the page shows
}

// AdminSource is a source with its past days, the worst first.
type AdminSource struct {
	ID            int64
	Name, URL     string
	State, Class  string // Class is its color: good, wait, bad or plain
	Last          string // when it was last collected
	Error, Advice string
	Warnings      []string // what was unusual when its list was last read
	Days          []AdminRun
	DaysText      string   // the same as Days, in words
	Weeks         []int    // articles published in each week
	Tops          []string // tops of their bars, from the top
	PerWeek       string
}

// AdminRun is a run of consecutive days with the same result. X and W are in percent.
type AdminRun struct{ X, W, Class, Label string }

// AdminLag says how long the articles of an issuer take to appear and to be collected.
type AdminLag struct {
	Issuer               string
	Issue, Collect       string // medians, "" if unknown
	Published, Collected int
	Share                int // share of the longest time from issue to publication, in percent
}

// AdminSourcePage shows one source.
type AdminSourcePage struct {
	AdminPage
	Source AdminSource
	Ticks  []ChainTick
	Facts  []Fact // Key is below "admin.source." in the catalog
	Weeks  Chart
	Bad    []AdminDay // days with failures, latest first
}

// AdminDay is a day of a source on which collections failed.
type AdminDay struct {
	Day, State, Class     string
	Collections, Failures int
}

// AdminLists shows all lists, and how many readers joined and left them.
type AdminLists struct {
	AdminPage
	Lists  []AdminList
	Growth Chart
}

// AdminListPage shows one list and what its next issue would contain now.
type AdminListPage struct {
	AdminPage
	List     AdminList
	Figures  []AdminFigure
	Number   int // number of the next issue
	Count    int // number of its articles
	More     int // number of its articles that are not listed
	Sections []Section
	LeftOut  []Item // newest articles that it would not contain; Why is the reason
	Growth   Chart
	Issues   []IssueCard // Lead is the number of the mailing, and URL its page
}

// AdminHelp is the handbook, or a reference page.
type AdminHelp struct {
	AdminPage
	Handbook bool
	Contents []FeedLink // its headings
	Text     template.HTML
}

// AdminMissing says that a page does not exist.
type AdminMissing struct{ AdminPage }

// Render writes the page.
func (v AdminHelp) Render(w io.Writer) error { return v.write(w, "help.html", v) }

// Render writes the page.
func (v AdminMissing) Render(w io.Writer) error { return v.write(w, "missing.html", v) }

// Render writes the page.
func (v AdminLists) Render(w io.Writer) error { return v.write(w, "lists.html", v) }

// Render writes the page.
func (v AdminListPage) Render(w io.Writer) error { return v.write(w, "list.html", v) }

// AdminMailings shows the last mailings and the reports about emails.
type AdminMailings struct {
	AdminPage
	Mailings []AdminMailing
	Needs    []AdminNeed
	Reports  Chart
}

// AdminMailingPage shows one mailing.
type AdminMailingPage struct {
	AdminPage
	Mailing     AdminMailing
	Figures     []AdminFigure
	Lists       string // titles of the lists of its issues
	Curve       Chart  // without labels if no delivery is finished
	Domains     []AdminDomain
	MoreDomains int
	Refusals    []AdminRefusal
	MoreRefused int // deliveries whose reasons are not listed
}

// AdminDomain is the state of a mailing for the readers of a domain. The shares are in
// percent.
type AdminDomain struct {
	Domain                                                    string
	All, Sent, Waiting, Deferred, Failed, Uncertain, NotSent  int
	SentShare, WaitingShare, WaitingAt, FailedShare, FailedAt string
	Next                                                      string
}

// AdminRefusal is a reason for which deliveries failed or wait.
type AdminRefusal struct {
	State, Class, Reply, Domains string
	Count                        int
}

// Render writes the page.
func (v AdminMailings) Render(w io.Writer) error { return v.write(w, "mailings.html", v) }

// Render writes the page.
func (v AdminMailingPage) Render(w io.Writer) error {
	return v.write(w, "mailing.html", v)
}

// Render writes the page.
func (v AdminOverview) Render(w io.Writer) error { return v.write(w, "overview.html", v) }

// Render writes the page.
func (v AdminSources) Render(w io.Writer) error { return v.write(w, "sources.html", v) }

// Render writes the page.
func (v AdminSourcePage) Render(w io.Writer) error { return v.write(w, "source.html", v) }

// write writes a page for admins.
func (p AdminPage) write(w io.Writer, name string, view any) error {
	set := p.Language
	if p.Chosen {
		set += "!"
	}
	return execute(w, pick(set).admin(), name, view)
}

// styles returns the style sheets for a page that is a single file.
func styles() (template.CSS, error) {
	all := template.CSS("")
	for _, name := range []string{"style.css", "admin.css"} {
		b, err := files.ReadFile("static/" + name)
		if err != nil {
			return "", err
		}
		all += template.CSS(b)
	}
	return all, nil
}

// tenth formats thousandths as percent.
func tenth(n int) string { return fmt.Sprintf("%d.%d", n/10, n%10) }
