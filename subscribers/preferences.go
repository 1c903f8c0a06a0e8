package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/match"
	"dibao/policy/theme"
)

// Preferences are what a reader chooses on the page behind their token.
type Preferences struct {
	Language    string // zh or en
	Format      Format // "" means HTML
	PausedUntil policy.Date
	WantsEmpty  bool
	Lists       map[int64]Choice // the lists to subscribe to; all other subscriptions end
	Profile     match.Profile
}

// Preferences returns the preferences of a reader.
func (s *Store) Preferences(ctx context.Context, subscriber int64) (p Preferences, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		p, err = s.preferences(ctx, tx, subscriber)
		return err
	})
	return p, err
}

func (s *Store) preferences(ctx context.Context, tx *sql.Tx, subscriber int64) (Preferences, error) {
	readers, err := s.readers(ctx, tx, []int64{subscriber})
	if err != nil {
		return Preferences{}, err
	}
	r, ok := readers[subscriber]
	if !ok {
		return Preferences{}, ErrNotFound
	}
	p := Preferences{Language: r.Language, Format: r.Format, PausedUntil: r.PausedUntil, WantsEmpty: r.WantsEmpty, Lists: make(map[int64]Choice, len(r.Lists))}
	for _, l := range r.Lists {
		p.Lists[l] = r.Choices[l]
	}
	if r.Profile != nil {
		p.Profile = *r.Profile
	}
	return p, nil
}

func (p Preferences) check() error {
	if p.Format != HTML && p.Format != Text {
		return fmt.Errorf("format %q is not html or text", p.Format)
	}
	for _, c := range p.Lists {
		if err := c.check(); err != nil {
			return err
		}
	}
	return p.Profile.Check()
}

// Where preferences and subscriptions are changed, as the consent log has it.
const (
	onPreferencePage = "on the preference page"
	byAdmin          = "by an admin"
)

// SetPreferences stores a reader's preferences: the lists, with the reader's choices for
// each, and the format of emails. New lists need no confirmation email, because the reader
// has the token that was mailed to the address.
func (s *Store) SetPreferences(ctx context.Context, subscriber int64, p Preferences, network netip.Prefix) error {
	return s.editPreferences(ctx, subscriber, onPreferencePage, network, func(tx *sql.Tx, _ Preferences) (Preferences, error) {
		return p, s.setLists(ctx, tx, subscriber, slices.Sorted(maps.Keys(p.Lists)), network)
	})
}

// EditPreferences stores what edit, which may be called twice, changes about a reader's
// preferences for an admin. It does not change the lists that the reader gets.
func (s *Store) EditPreferences(ctx context.Context, subscriber int64, edit func(*Preferences) error) error {
	return s.editPreferences(ctx, subscriber, byAdmin, netip.Prefix{}, func(_ *sql.Tx, p Preferences) (Preferences, error) {
		p.Lists = maps.Clone(p.Lists)
		return p, edit(&p)
	})
}

// editPreferences stores the preferences that edit returns, and logs what changed.
func (s *Store) editPreferences(ctx context.Context, subscriber int64, how string, network netip.Prefix, edit func(tx *sql.Tx, before Preferences) (Preferences, error)) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		// This comes first, so that other changes of this reader wait, too.
		if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET language = language WHERE id = $1`, subscriber); err != nil {
			return err
		}
		before, err := s.preferences(ctx, tx, subscriber)
		if err != nil {
			return err
		}
		p, err := edit(tx, before)
		if err != nil {
			return err
		}
		p.Language, p.Format = language(p.Language), cmp.Or(p.Format, HTML)
		if err := p.check(); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET language = $2, format = $3, paused_until = $4, wants_empty = $5, profile = $6 WHERE id = $1`,
			subscriber, p.Language, p.Format, sql.Null[string]{V: p.PausedUntil.String(), Valid: !p.PausedUntil.IsZero()}, flag(p.WantsEmpty), encodeProfile(p.Profile)); err != nil {
			return err
		}
		log := func(list int64, changes []string) error {
			if len(changes) == 0 {
				return nil
			}
			return logConsent(ctx, tx, subscriber, list, "preferences changed", network, how+": "+strings.Join(changes, "; "), s.now())
		}
		if err := log(0, p.changes(before)); err != nil {
			return err
		}
		for _, l := range slices.Sorted(maps.Keys(p.Lists)) {
			if err := setChoice(ctx, tx, subscriber, l, p.Lists[l]); err != nil {
				return err
			}
			if err := log(l, p.Lists[l].changes(before.Lists[l])); err != nil {
				return err
			}
		}
		return nil
	})
}

// changes returns, in words, what differs from the preferences before, without the lists.
func (p Preferences) changes(before Preferences) (all []string) {
	if p.Language != before.Language {
		all = append(all, "language "+p.Language)
	}
	if p.Format != before.Format {
		all = append(all, "format "+string(p.Format))
	}
	switch {
	case p.PausedUntil == before.PausedUntil:
	case p.PausedUntil.IsZero():
		all = append(all, "no pause")
	default:
		all = append(all, "paused until "+p.PausedUntil.String())
	}
	if p.WantsEmpty != before.WantsEmpty {
		all = append(all, map[bool]string{true: "mail even if nothing is new", false: "no mail if nothing is new"}[p.WantsEmpty])
	}
	if !reflect.DeepEqual(p.Profile, before.Profile) {
		all = append(all, "profile")
	}
	return all
}

// changes returns, in words, what differs from the choice before.
func (c Choice) changes(before Choice) (all []string) {
	if f := cmp.Or(c.Frequency, EveryIssue); f != cmp.Or(before.Frequency, EveryIssue) {
		all = append(all, "frequency "+string(f))
	}
	switch {
	case slices.Equal(c.Themes, before.Themes):
	case len(c.Themes) == 0:
		all = append(all, "all themes")
	default:
		all = append(all, "themes "+strings.Join(c.Themes, "|"))
	}
	var regions []string
	for _, code := range c.Regions {
		regions = append(regions, cmp.Or(division.Name(code), code))
	}
	switch {
	case slices.Equal(c.Regions, before.Regions):
	case len(regions) == 0:
		all = append(all, "all regions")
	default:
		all = append(all, "regions "+strings.Join(regions, "|"))
	}
	return all
}

// SetThemes limits a choice to themes that a list offers, each given by a part of its name;
// none or all of them mean the whole list.
func (c *Choice) SetThemes(l List, names []string) error {
	offered, full := themesOf(l), make([]string, 0, len(names))
	for _, n := range names {
		t := theme.Named(n)
		if !slices.Contains(offered, t) {
			return fmt.Errorf("the list %s has no theme %q; use some of: %s", l.Slug, n, strings.Join(offered, ", "))
		}
		full = append(full, t)
	}
	c.Themes = among(full, offered)
	return nil
}

// SetRegions limits a choice to regions, each given by name or code; none mean the whole
// list. A list with regions of its own offers only these.
func (c *Choice) SetRegions(l List, names []string) error {
	offered, codes := regionsOf(l), []string(nil)
	for _, n := range names {
		code := division.Code(n)
		i := slices.IndexFunc(offered, func(o string) bool { return division.Code(o) == code })
		switch {
		case code == "":
			return fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", n)
		case i >= 0:
			codes = append(codes, offered[i])
		case len(l.Query.Regions) > 0:
			return fmt.Errorf("the list %s does not offer the region %q; use some of: %s", l.Slug, n, strings.Join(offered, ", "))
		default: // a region in a province
			codes = append(codes, full([]string{code})...)
		}
	}
	c.Regions = among(codes, with(offered, codes))
	return nil
}
