package templates

import (
	"html/template"
	"io"
	"strings"
)

// PreferencesPage is what a reader chooses, behind the link of their emails.
type PreferencesPage struct {
	Page
	Action      string
	Address     string
	Error       string // catalogue key below "preferences.error.", "" if none
	Chosen      string // language
	Format      string // html or text
	PausedUntil string // YYYY-MM-DD, "" if not
	WantsEmpty  bool
	Lists       []PreferenceList
	Profile     ProfileForm
	Starred     []StarredItem

	CalendarURL, DataURL, AddressURL, DeleteURL string
}

// WebcalURL is the address of the reader's calendar for programs that subscribe to it.
func (v PreferencesPage) WebcalURL() template.URL {
	_, rest, _ := strings.Cut(v.CalendarURL, "://")
	return template.URL("webcal://" + rest)
}

// StarredItem is a call that a reader starred, in a row of their preferences.
type StarredItem struct {
	Title, URL string
	Last       string // the last day, "" if it is not known
	Canceled   bool
	Remind     bool
	Page       string // on which the star is changed
}

// StarPage is where a reader stars a call.
type StarPage struct {
	Page
	Title, URL string // of the call
	Last       string
	Starred    bool
	Remind     bool
	Action     string
	Back       string // the reader's preferences
}

// Render writes the page.
func (v StarPage) Render(w io.Writer) error { return render(w, v.Page, "star.html", v) }

// ProfileForm is what a reader may say of themselves.
type ProfileForm struct {
	Open   bool // something is said
	Fields []ProfileField
	Sizes  []Choice
}

// ProfileField is a field with several values.
type ProfileField struct {
	Name    string // in the catalog below "profile."
	Choices []Choice
}

// Chosen counts the values that are chosen.
func (f ProfileField) Chosen() (n int) {
	for _, c := range f.Choices {
		if c.Chosen {
			n++
		}
	}
	return n
}

// PreferenceList is a list with what may be chosen within it.
type PreferenceList struct {
	ListCard
	Frequency       string // issue, weekly, monthly
	Themes, Regions []Choice
}

// Narrowed reports whether anything is chosen within the list.
func (l PreferenceList) Narrowed() bool {
	for _, all := range [][]Choice{l.Themes, l.Regions} {
		for _, c := range all {
			if c.Chosen {
				return true
			}
		}
	}
	return l.Frequency != "issue"
}

// Choice is one box to tick.
type Choice struct {
	Value, Title string
	Chosen       bool
}

// AddressPage asks a reader for a new address.
type AddressPage struct {
	Page
	Action  string
	Address string // of now
	Typed   string // shown back
	Error   string // catalogue key below "address.error.", "" if none
}

// ButtonPage says what its only button does. Key names its words in the
// catalog: delete, change.
type ButtonPage struct {
	Page
	Key     string
	Action  string
	Subject string // what it is done to, such as an address; "" if nothing
	Back    string // where to go instead, "" if nowhere
}

// Render writes the page.
func (v PreferencesPage) Render(w io.Writer) error {
	return render(w, v.Page, "preferences.html", v)
}

// Render writes the page.
func (v AddressPage) Render(w io.Writer) error { return render(w, v.Page, "address.html", v) }

// Render writes the page.
func (v ButtonPage) Render(w io.Writer) error { return render(w, v.Page, "button.html", v) }
