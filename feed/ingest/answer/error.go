package answer

import (
	"fmt"
	"strings"
)

// Error says that a page is not the requested content.
type Error struct {
	Answer
	URL string // the address that answered
	// Found is an endpoint that returns a list of articles, "" if none was
	// found.
	Found  string
	Menu   string // a row of the menu that was found instead of a list, "" for none
	Item   string // the selector of the source for rows, "" for none
	Status int    // if it is not 2xx
	Err    error  // the error that reported the status, nil if none did
}

// Unwrap returns the error that reported the status.
func (e *Error) Unwrap() error { return e.Err }

// Error says what the page is, and what can help.
func (e *Error) Error() string {
	if advice := e.Advice(""); advice != "" {
		return e.Sentence() + "; " + advice
	}
	return e.Sentence()
}

// Sentence says what the page is.
func (e *Error) Sentence() string {
	switch e.Kind {
	case Wall:
		if e.Status != 0 {
			return fmt.Sprintf("the site returns status %d and %s instead of its pages; it does not count as \"nothing new\"", e.Status, e.What)
		}
		return fmt.Sprintf("the site returns %s instead of its pages; it does not count as \"nothing new\"", e.What)
	case ErrorPage:
		if e.Status != 0 {
			return fmt.Sprintf("the site returns status %d and an error page: \"%s\"", e.Status, e.What)
		}
		return fmt.Sprintf("the site returns an error page: \"%s\"", e.What)
	case Redirect:
		return fmt.Sprintf("the page redirects browsers to %s (by %s)", e.To, e.What)
	case Shell:
		return "the page is an empty shell: it is " + e.What + e.calls()
	case Empty:
		return "the page is empty"
	}
	if e.Item != "" {
		return fmt.Sprintf("the selector \"%s\" of the source selects no articles on the page", e.Item)
	}
	if len(e.Frames) > 0 {
		return "no list of articles was found on the page; it has a frame: " + e.Frames[0]
	}
	if e.Menu != "" {
		return fmt.Sprintf("no list of articles was found on the page; the closest rows look like a menu, since they have no dates and lead to columns or other sites: \"%s\"", e.Menu)
	}
	return "no list of articles was found on the page" + e.calls()
}

// calls lists the addresses that the scripts of the page request.
func (e *Error) calls() string {
	switch {
	case e.Found != "":
		return "; its scripts get the list from " + e.Found
	case len(e.Endpoints) > 0:
		return "; its scripts seem to call " + strings.Join(e.Endpoints, ", ")
	}
	return ""
}

// causeAdvice says what can help with each kind of wall. None of it suggests bypassing the
// wall.
var causeAdvice = map[Cause]string{
	Script:  "the site allows only browsers that run its test, and dibao does not bypass it: ask the site's administrators to allow access from this server, or use another source of the same texts, such as a feed or a portal that reposts them",
	Puzzle:  "a person would have to solve it in a browser each time, and dibao does not bypass it: ask the site's administrators to allow access from this server, or use another source of the same texts",
	Refused: "its firewall refuses the requests of this server: ask the site's administrators to allow access from it, collect less often (--interval), or use a proxy that the site allows (--proxy)",
	Client:  "only an app shows this page: use an address of the same texts that a browser on a computer can open",
	Login:   "dibao does not log in: use an address that everybody can read",
}

// Advice says in one sentence what can help; "" if nothing is known to help.
// source is the number of the source, "" if it is not stored.
func (e *Error) Advice(source string) string {
	render, item := "add it with --render", "--item"
	if source != "" {
		edit := "dibao source edit " + source
		render, item = edit+" --render", edit+" --item"
	}
	switch e.Kind {
	case Wall:
		return causeAdvice[e.Cause]
	case ErrorPage:
		return "open the address in a browser: if the error persists, use the address that the site has now"
	case Redirect:
		return "use that address"
	case Shell:
		switch {
		case e.Found != "":
			return "add that address: dibao source add '" + e.Found + "'"
		case len(e.Endpoints) > 0:
			return "check in a browser which of them returns the list and add that, or render the page with your own browser: set browser in [fetch], then " + render
		}
		return "render the page with your own browser: set browser in [fetch], then " + render
	case Empty:
		return "open the address in a browser and use the address of the list"
	}
	switch {
	case e.Item != "" && source != "":
		return "correct it, or remove it so that the list is found by the structure of the page: " + item + " ''"
	case e.Item != "":
		return "correct it, or leave out " + item + " so that the list is found by the structure of the page"
	case e.Found != "":
		return "add that address: dibao source add '" + e.Found + "'"
	case len(e.Frames) > 0:
		return "use the address of the frame"
	case len(e.Endpoints) > 0:
		return "if scripts render the list, add the address that they call, or " + render + "; otherwise select a row of the list with " + item
	}
	return "select a row of the list with " + item
}
