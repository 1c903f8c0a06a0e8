// Package weburl makes the addresses on pages and in feeds absolute, and recognizes those
// that lead to the same article.
package weburl

import (
	"net/url"
	"strings"
)

// Max is the maximum length of an address that is kept, in bytes.
const Max = 4096

// Absolute resolves a reference; it returns "" if the result is not an http(s) or mailto
// address, or is longer than Max. User names and passwords are removed.
func Absolute(base *url.URL, ref string) string {
	ref = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1 // as browsers do (WHATWG URL)
		}
		return r
	}, ref))
	if len(ref) > Max {
		return ""
	}
	path, rest := ref, ""
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		path, rest = ref[:i], ref[i:]
	}
	ref = strings.ReplaceAll(path, `\`, "/") + rest // as browsers do
	if beginsWithHost(base, ref) {
		ref = "//" + ref
	}
	u, err := base.Parse(ref)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" || u.Opaque != "" {
			return ""
		}
		u.User, u.Host = nil, strings.ToLower(u.Host)
		return u.String()
	case "mailto":
		return u.String()
	}
	return ""
}

// beginsWithHost reports whether a reference is an address without its scheme, which would
// otherwise be relative to the page: www.example.gov.cn/a.html, or the host of the page
// itself. No folder of a site has such a name.
func beginsWithHost(base *url.URL, ref string) bool {
	host, _, ok := strings.Cut(ref, "/")
	return ok && (host != "" && strings.EqualFold(host, base.Host) || len(host) > 4 && strings.EqualFold(host[:4], "www.") && strings.Count(host, ".") > 1)
}

// Identity identifies the article at an address: http or https, a default port, a fragment
// and campaign parameters make no difference. It returns "" if there is no address.
func Identity(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	u.Host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(u.Host), ":80"), ":443")
	u.Scheme, u.Fragment, u.RawFragment, u.User = "http", "", "", nil
	u = u.JoinPath() // removes /./ and /../
	if u.RawQuery != "" {
		var kept []string
		for part := range strings.SplitSeq(u.RawQuery, "&") {
			if !strings.HasPrefix(part, "utm_") && !strings.HasPrefix(part, "spm=") {
				kept = append(kept, part)
			}
		}
		u.RawQuery = strings.Join(kept, "&")
	}
	return u.String()
}
