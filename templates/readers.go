package templates

import (
	"html/template"
	"io"
	"strings"
)

// PreferencesPage contains the choices of a reader, at the link in their emails.
type PreferencesPage struct {
	Page
	Action      string
	Address     string
	Error       string // key below "preferences.error." in the catalog, "" if none
	Chosen      string // chosen language
	Format      string // html or text
	PausedUntil string // YYYY-MM-DD, "" if not paused
	WantsEmpty  bool
	Lists       []PreferenceList
	Profile     ProfileForm
	Starred     []StarredItem

	CalendarURL, DataURL, AddressURL, DeleteURL string
}

// WebcalURL returns the address of the reader's calendar for programs that subscribe to it.
func (v PreferencesPage) WebcalURL() template.URL {
	_, rest, _ := strings.Cut(v.CalendarURL, "://")
	return template.URL("webcal://" + rest)
}

// StarredItem is a call that a reader starred, in a row of their preferences.
type StarredItem struct {
	Title, URL string // URL is "" if the article is hidden
	Last       string // the last day, "" if unknown
	Canceled   bool
	Remind     bool
	Prospect   string // "" if a reminder can still be sent; else why not: undated or late
	Page       string // page for changing the star
}

// StarPage is the page for starring a call.
type StarPage struct {
	Page
	Title, URL string // title and address of the call
	Last       string
	Starred    bool
	Remind     bool
	Prospect   string // as in StarredItem
	Action     string
	Back       string // address of the reader's preferences
}

// Render writes the page.
func (v StarPage) Render(w io.Writer) error { return render(w, v.Page, "star.html", v) }

// ProfileForm contains what a reader can state about themselves.
type ProfileForm struct {
	Open   bool // a field is set
	Fields []ProfileField
	Sizes  []Choice
}

// ProfileField is a field with several values.
type ProfileField struct {
	Name    string // below "profile." in the catalog
	Choices []Choice
}

// Chosen returns the number of chosen values.
func (f ProfileField) Chosen() (n int) {
	for _, c := range f.Choices {
		if c.Chosen {
			n++
		}
	}
	return n
}

// PreferenceList is a list with the choices within it.
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

// Choice is one checkbox.
type Choice struct {
	Value, Title string
	Chosen       bool
}

// AddressPage asks a reader for a new address.
type AddressPage struct {
	Page
	Action  string
	Address string // the current address
	Typed   string // the entered address, shown again
	Error   string // key below "address.error." in the catalog, "" if none
}

// ButtonPage describes what its only button does. Key is the key of its words in the
// catalog: delete, change.
type ButtonPage struct {
	Page
	Key     string
	Action  string
	Subject string // what the action applies to, such as an address; "" if nothing
	Back    string // link for not doing it, "" if there is none
}

// Render writes the page.
func (v PreferencesPage) Render(w io.Writer) error {
	return render(w, v.Page, "preferences.html", v)
}

// Render writes the page.
func (v AddressPage) Render(w io.Writer) error { return render(w, v.Page, "address.html", v) }

// Render writes the page.
func (v ButtonPage) Render(w io.Writer) error { return render(w, v.Page, "button.html", v) }
