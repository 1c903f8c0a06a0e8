package mailaddr

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed providers.txt
var providerNames string

// Providers are mail domains that many people use.
var Providers = strings.Fields(providerNames)

// Suggest returns the address that was perhaps intended if the domain of a parsed one looks
// like a typo (gmial.com, qq.con), or "". Only suggest it, never replace the
// address: gmial.com has mailboxes, too.
func Suggest(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || len(domain) < 3 || slices.Contains(Providers, domain) {
		return ""
	}
	for _, p := range Providers {
		if domain[0] != p[0] && domain[1:min(3, len(domain))] != p[1:3] && !strings.HasPrefix(domain, p[1:2]) {
			continue // one typo keeps the first letter or the next two, or swaps the first two
		}
		if isSlip(domain, p) {
			return local + "@" + p
		}
	}
	return ""
}

// slipsOf are endings that are typed by mistake for .com or .net, and that are not domains,
// or belong to places where the provider has none.
var slipsOf = map[string][]string{
	"com": {"con", "cm", "co", "comm", "cmo", "om", "vom", "xom", "ocm", "coom", "cpm", "c0m", "cim", "col", "con.cn", "como"},
	"net": {"met", "nte", "ne", "nett", "ent", "bet"},
	"cn":  {"cm", "ch", "cnn", "vn"},
}

// isSlip reports whether typed differs by one typo from the domain of a
// provider: in its ending, or in one letter of a name that is long enough.
func isSlip(typed, provider string) bool {
	dot := strings.IndexByte(provider, '.')
	name, ending := provider[:dot], provider[dot+1:]
	if rest, ok := strings.CutPrefix(typed, name+"."); ok {
		return slices.Contains(slipsOf[ending], rest)
	}
	if typed == name+ending || typed == name {
		return true // the dot or the ending is missing
	}
	typedName, ok := strings.CutSuffix(typed, "."+ending)
	return ok && len(name) >= 4 && !strings.ContainsAny(name+typedName, "0123456789.") && oneEditApart(typedName, name)
}

// oneEditApart reports whether one insertion, deletion, substitution or swap of
// adjacent letters turns a into b.
func oneEditApart(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case len(a) == len(b):
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case len(a) == len(b)+1:
		return a[i+1:] == b[i:]
	case len(a)+1 == len(b):
		return a[i:] == b[i+1:]
	}
	return false
}

// machines are local parts of addresses that programs read, not readers (RFC
// 2142, RFC 5321 §4.5.1).
var machines = []string{"mailer-daemon", "postmaster", "abuse", "noreply", "no-reply", "do-not-reply", "donotreply", "hostmaster", "bounce", "bounces", "spam", "nobody"}

// offices are local parts of addresses that several people read.
var offices = []string{"info", "admin", "administrator", "office", "contact", "sales", "support", "service", "help", "hr", "webmaster", "marketing", "billing", "mail", "root", "hello", "kefu", "bangongshi"}

// Role says who reads an address, if it is not one person.
type Role string

// The roles of an address.
const (
	RolePerson  Role = ""
	RoleOffice  Role = "office"  // info@…: may subscribe, but imports report it
	RoleMachine Role = "machine" // noreply@…: refused
)

// RoleOf returns the role of a parsed address by its local part.
func RoleOf(address string) Role {
	local, _, _ := strings.Cut(Key(address), "@")
	local, _, _ = strings.Cut(local, "+")
	switch {
	case slices.Contains(machines, local):
		return RoleMachine
	case slices.Contains(offices, local):
		return RoleOffice
	}
	return RolePerson
}
