package templates

// Letter is an email that is not a digest: a confirmation request or a notice to the admin.
// Empty fields are left out.
type Letter struct {
	Language  string
	SiteName  string
	Title     string
	Preheader string // what a mail program shows next to the subject
	Lead      string
	Points    []string // its subjects, one per line
	Rows      []LetterRow
	Action    string // what to do
	Button    string
	ButtonURL string
	Commands  []string
	Remarks   []string // in small type
	Number    string   // always empty; the frame of a digest has a number
}

// LetterRow is a figure with its label. Quote is the reply of a server, which is not translated;
// it is part of Value when the letter is written.
type LetterRow struct{ Name, Value, Quote string }

// Mail writes the letter.
func (v Letter) Mail() (Mail, error) {
	if v.Preheader == "" {
		v.Preheader = v.Lead
	}
	return mailPiece(v.Language, "letter", v)
}

// Confirmation is the opt-in email for the lists that somebody chose for an address. It
// contains nothing that the requester entered.
type Confirmation struct {
	Language   string
	SiteName   string
	Lists      []string // titles
	ConfirmURL string
	Days       int // number of days for which the link works
}

// Subject returns the subject.
func (v Confirmation) Subject() string {
	return Words(v.Language, "confirmation.subject", v.SiteName)
}

// Mail writes the mail.
func (v Confirmation) Mail() (Mail, error) {
	say := func(key string, args ...any) string { return Words(v.Language, key, args...) }
	return Letter{
		Language: v.Language, SiteName: v.SiteName, Title: say("confirmation.title"), Preheader: joinDots(v.Lists),
		Lead: say("confirmation.lead"), Points: v.Lists, Action: say("confirmation.action"),
		Button: say("confirmation.button"), ButtonURL: v.ConfirmURL, Remarks: []string{say("confirmation.days", v.Days), say("confirmation.ignore")},
	}.Mail()
}

// ReaderLink is the email with a link that a reader requested on their preference page. Key
// is the key of its words below "ask." in the catalog: delete, data, link.
type ReaderLink struct {
	Language string
	SiteName string
	Key      string
	URL      string
	Hours    int // number of hours for which the link works; 0 means not mentioned
}

// Subject returns the subject.
func (v ReaderLink) Subject() string {
	return Words(v.Language, "ask."+v.Key+".subject", v.SiteName)
}

// Mail writes the mail.
func (v ReaderLink) Mail() (Mail, error) {
	say := func(key string, args ...any) string { return Words(v.Language, "ask."+key, args...) }
	letter := Letter{
		Language: v.Language, SiteName: v.SiteName, Title: say(v.Key + ".title"), Lead: say(v.Key + ".lead"), Action: say(v.Key + ".action"),
		Button: say(v.Key + ".button"), ButtonURL: v.URL,
	}
	if v.Hours > 0 {
		letter.Remarks = append(letter.Remarks, say("hours", v.Hours))
	}
	letter.Remarks = append(letter.Remarks, say("ignore"))
	return letter.Mail()
}

// AddressChange is the email that asks one of two mailboxes to agree.
type AddressChange struct {
	Language   string
	SiteName   string
	Old        bool // sent to the old mailbox
	NewAddress string
	ConfirmURL string
	Hours      int // number of hours for which the link works
}

// Subject returns the subject.
func (v AddressChange) Subject() string { return Words(v.Language, "change.subject", v.SiteName) }

// Mail writes the mail.
func (v AddressChange) Mail() (Mail, error) {
	say := func(key string, args ...any) string { return Words(v.Language, key, args...) }
	lead := "change.new"
	if v.Old {
		lead = "change.old"
	}
	return Letter{
		Language: v.Language, SiteName: v.SiteName, Title: say("button.change.title"), Preheader: say(lead, v.NewAddress),
		Lead: say(lead, v.NewAddress), Action: say("change.action"), Button: say("confirmation.button"), ButtonURL: v.ConfirmURL,
		Remarks: []string{say("ask.hours", v.Hours), say("change.ignore")},
	}.Mail()
}
