package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/redact"
	"dibao/subscribers"
	"dibao/templates"
)

// runSteps runs every step of the demo; failures are recorded, and steps that
// do not depend on the failed one continue.
func (d *Demo) runSteps(ctx context.Context, o Options) {
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"collect", d.collectAll},
		{"make the list", d.makeList},
		{"publish", d.readFeeds},
		{"subscribe", func(ctx context.Context) error { return d.subscribe(ctx, o.Subscribers) }},
		{"compose and deliver", d.deliver},
		{"unsubscribe", d.unsubscribe},
	} {
		if err := step.run(ctx); err != nil {
			d.fail("%s: %s", step.name, redact.Line(err))
		}
	}
}

// collectAll adds the site's sources and collects them over HTTP.
func (d *Demo) collectAll(ctx context.Context) error {
	var errs []error
	for _, s := range d.site.Sources {
		source := feed.Source{
			URL: d.siteURL + s.URLPath, Kind: s.Kind, Name: s.Name, Issuer: s.Issuer, Region: s.Region, Licence: feed.Licence(s.Licence), Settings: s.Settings,
		}
		source.PermitPrivate() // the site is on loopback
		added, err := d.Articles.AddSource(ctx, source)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.Summary.Sources++
		done, err := d.Collector.Collect(ctx, added.ID)
		errs = append(errs, err)
		for _, w := range done.Warnings {
			d.Summary.Warnings = append(d.Summary.Warnings, templates.AdminWarning("en", w.Code, w.Params))
		}
		// The daemon runs already, and may have collected the source before.
		stored, err := d.Articles.Articles(ctx, feed.Selection{Source: added.ID, Limit: feed.MaxSelection})
		errs = append(errs, err)
		d.Summary.Articles += len(stored)
		d.say("collected %s: %d articles", added.Name, len(stored))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if d.Summary.Articles == 0 {
		return errors.New("no article was found")
	}
	return nil
}

func (d *Demo) makeList(ctx context.Context) error {
	_, err := d.Subscribers.CreateList(ctx, subscribers.List{
		Slug: "weekly", Title: "邸报周刊", Description: "每周一早上八点：新发文件、征求意见、政策解读与署名文章。",
	})
	if err != nil {
		return err
	}
	return d.Digest.Match(ctx)
}

// readFeeds requests the feeds as a feed reader does.
func (d *Demo) readFeeds(ctx context.Context) error {
	var errs []error
	for _, path := range []string{"/", "/lists/weekly/"} {
		for _, f := range publish.Formats {
			address := d.Config.Server.BaseURL + path + "feed" + f.Suffix
			body, err := d.Get(ctx, address)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			items, err := countItems(body)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", address, err))
				continue
			}
			d.Summary.Feeds = append(d.Summary.Feeds, Feed{address, f.Name, items})
			if items == 0 {
				errs = append(errs, fmt.Errorf("%s is empty", address))
			}
		}
	}
	if len(errs) == 0 {
		d.say("published %d feeds", len(d.Summary.Feeds))
	}
	return errors.Join(errs...)
}

// Get returns the body of a response with status 200.
func (d *Demo) Get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return d.Do(req)
}

// Post is Get for a form.
func (d *Demo) Post(ctx context.Context, address string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.Do(req)
}

// Do sends a request and returns the body of a response with status 200.
func (d *Demo) Do(req *http.Request) ([]byte, error) {
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 10<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d", req.Method, req.URL.Path, res.StatusCode)
	}
	return body, err
}

// StartedField matches the field of the subscription form that says when the form was
// shown.
var StartedField = regexp.MustCompile(`name="started" value="([^"]+)"`)

// subscribe fills in the form as readers do and opens the links that they get by email.
func (d *Demo) subscribe(ctx context.Context, n int) error {
	base := d.Config.Server.BaseURL
	page, err := d.Get(ctx, base+"/subscribe?list=weekly")
	if err != nil {
		return err
	}
	m := StartedField.FindSubmatch(page)
	if m == nil {
		return errors.New("the form has no time stamp")
	}
	// A person takes a moment to fill in a form; faster submissions are refused.
	select {
	case <-time.After(FormPause):
	case <-ctx.Done():
		return ctx.Err()
	}
	for i := range n {
		// The form allows ten requests at once from one network; so the demo adds
		// more readers as an admin would.
		address := fmt.Sprintf("reader%d@demo.example", i+1)
		if i >= formReaders {
			if err := d.AskByAdmin(ctx, address); err != nil {
				return err
			}
			continue
		}
		if _, err := d.Post(ctx, base+"/subscribe", url.Values{"address": {address}, "list": {"weekly"}, "started": {string(m[1])}}); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := d.Box.Wait(wait, n); err != nil {
		return fmt.Errorf("%d of %d confirmation emails arrived: %w", d.Box.Count(), n, err)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `/confirm/[A-Za-z0-9_-]+`)
	for _, mail := range d.Box.Messages() {
		address := link.FindString(mail.Text)
		if address == "" {
			return fmt.Errorf("the email to %s contains no link to confirm", mail.To)
		}
		if _, err := d.Post(ctx, address, nil); err != nil {
			return err
		}
		d.Summary.Subscribers++
	}
	d.say("subscribed %d readers with confirmed opt-in", d.Summary.Subscribers)
	return nil
}

const (
	formReaders = 8
	// FormPause is the minimum time that a person takes to fill in the form.
	FormPause = 2100 * time.Millisecond
)

// AskByAdmin sends the confirmation email for the lists to an address, as when an admin
// adds it.
func (d *Demo) AskByAdmin(ctx context.Context, address string) error {
	lists, err := d.Subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	mail, err := d.Subscribers.Subscribe(ctx, subscribers.Request{Address: address, Language: "zh", Lists: lists})
	if err != nil || mail == nil {
		return fmt.Errorf("could not send a confirmation request to %s: %w", address, err)
	}
	return d.SendConfirmation(ctx, *mail)
}

// deliver composes an issue and lets the daemon's ledger send it.
func (d *Demo) deliver(ctx context.Context) error {
	lists, err := d.Subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	before := d.Box.Count()
	made, err := d.Digest.ComposeNow(ctx, lists)
	if err != nil {
		return err
	}
	d.Summary.Issues = len(made.Issues)
	if made.Mailing == 0 {
		return errors.New("no issue was composed")
	}
	sender, err := d.Deliverer()
	if err != nil {
		return err
	}
	if _, err := sender.Deliver(ctx); err != nil { // the daemon's schedule may have sent some already
		return err
	}
	report, err := d.Digest.Report(ctx, 1)
	if err != nil {
		return err
	}
	d.Summary.MessagesSent = report[0].Sent
	d.Summary.MessagesReceived = d.Box.Count() - before
	if n := d.Summary.Subscribers; report[0].Sent != n || d.Summary.MessagesReceived != n {
		return fmt.Errorf("%d messages were sent and %d received, for %d readers", report[0].Sent, d.Summary.MessagesReceived, n)
	}
	d.say("composed issue %d with %d articles and delivered it to %d readers", made.Issues[0].Number, len(made.Issues[0].Articles), report[0].Sent)
	return nil
}

// unsubscribe does what a mail program does when its button is pressed (RFC 8058).
func (d *Demo) unsubscribe(ctx context.Context) error {
	for _, mail := range d.Box.Messages() {
		if mail.Unsubscribe == "" {
			continue
		}
		if _, err := d.Post(ctx, mail.Unsubscribe, url.Values{"List-Unsubscribe": {"One-Click"}}); err != nil {
			return err
		}
		left, err := d.Subscribers.Subscribers(ctx, subscribers.Selection{State: subscribers.StateUnsubscribed})
		if err != nil {
			return err
		}
		if d.Summary.Unsubscribed = len(left); len(left) != 1 {
			return fmt.Errorf("after one click, %d readers are unsubscribed instead of 1", len(left))
		}
		d.say("unsubscribed %s with one click", mail.To)
		return nil
	}
	return errors.New("no message has a link to unsubscribe")
}

// countItems counts the items of a feed in any of our formats.
func countItems(body []byte) (int, error) {
	if len(body) > 0 && body[0] == '{' {
		var doc struct {
			Items []json.RawMessage `json:"items"`
		}
		err := json.Unmarshal(body, &doc)
		return len(doc.Items), err
	}
	return strings.Count(string(body), "<item>") + strings.Count(string(body), "<entry>"), nil
}
