package inbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errQuit says that the sender is done.
var errQuit = errors.New("quit")

// command answers one command. A negative reply is a *refusal.
func (c *session) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if !isPrintable(line) && verb != "MAIL" && verb != "RCPT" {
		return &refusal{reply: "500 5.5.2 a command must be printable ASCII"}
	}
	switch verb {
	case "EHLO", "HELO", "LHLO":
		return c.hello(verb, rest)
	case "STARTTLS":
		return c.startTLS()
	case "MAIL":
		return c.mail(rest)
	case "RCPT":
		return c.rcpt(rest)
	case "DATA":
		return c.data()
	case "RSET":
		c.reset()
		c.say("250 2.0.0 reset")
	case "NOOP":
		c.say("250 2.0.0 done")
	case "VRFY":
		c.say("252 2.5.0 cannot verify it; send the message")
	case "QUIT":
		c.say("221 2.0.0 goodbye")
		return errQuit
	case "GET", "POST", "HEAD", "PUT", "CONNECT", "OPTIONS":
		return &refusal{"421 5.5.1 this is a mail server", true} // a page made a browser send this request
	default:
		return &refusal{reply: "500 5.5.1 unknown command"}
	}
	return nil
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// hello answers EHLO, HELO, or in LMTP LHLO.
func (c *session) hello(verb, name string) error {
	if (verb == "LHLO") != c.LMTP {
		return &refusal{reply: "500 5.5.1 unknown command"}
	}
	if strings.TrimSpace(name) == "" {
		return &refusal{reply: "501 5.5.4 a host name is required"}
	}
	c.reset()
	c.greeted = true
	c.reached(stageGreeted)
	if verb == "HELO" {
		c.say("250 " + c.Domain)
		return nil
	}
	lines := []string{c.Domain, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	if c.TLS != nil && c.conn == c.raw {
		lines = append(lines, "STARTTLS")
	}
	for _, l := range lines {
		c.say("250-" + l)
	}
	c.say("250 SIZE " + strconv.Itoa(c.Limits.Message))
	return nil
}

func (c *session) mail(rest string) error {
	switch {
	case !c.greeted:
		return &refusal{reply: "503 5.5.1 say EHLO first"}
	case c.from:
		return &refusal{reply: "503 5.5.1 a message was already started"}
	}
	address, parameters, err := parsePath(rest, "FROM:")
	if err != nil {
		return err
	}
	for _, p := range parameters {
		if err := c.mailParameter(p); err != nil {
			c.reset()
			return err
		}
	}
	if err := checkAddress(address, c.utf8); err != nil {
		c.reset()
		return err
	}
	c.from = true
	c.reached(stageFrom)
	c.say("250 2.1.0 go on")
	return nil
}

func (c *session) mailParameter(p string) error {
	name, value, _ := strings.Cut(strings.ToUpper(p), "=")
	switch {
	case name == "SIZE":
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil {
			return &refusal{reply: "501 5.5.4 SIZE is not a number"}
		}
		if n > uint64(c.Limits.Message) {
			return &refusal{reply: fmt.Sprintf("552 5.3.4 the message is larger than %d bytes", c.Limits.Message)}
		}
	case name == "BODY" && (value == "7BIT" || value == "8BITMIME"):
	case name == "SMTPUTF8" && value == "":
		c.utf8 = true
	default:
		return &refusal{reply: "555 5.5.4 a parameter is unknown"}
	}
	return nil
}

func (c *session) rcpt(rest string) error {
	switch {
	case !c.from:
		return &refusal{reply: "503 5.5.1 say MAIL first"}
	case len(c.to) >= c.Limits.Recipients:
		return &refusal{reply: "452 4.5.3 too many recipients"}
	}
	address, parameters, err := parsePath(rest, "TO:")
	if err != nil {
		return err
	}
	if err := checkAddress(address, c.utf8); err != nil {
		return err
	}
	if len(parameters) > 0 {
		return &refusal{reply: "555 5.5.4 a parameter is unknown"}
	}
	if !c.Accept(c.ctx, address) {
		return &refusal{reply: "550 5.1.1 there is no such address here"}
	}
	c.to = append(c.to, address)
	c.reached(stageTo)
	c.say("250 2.1.5 go on")
	return nil
}

const maxPath = 256 // bytes of an address, RFC 5321 §4.5.3.1.3

// parsePath parses "FROM:<address> PARAMETER…". A space after the colon, which
// some programs write, is allowed.
func parsePath(s, keyword string) (address string, parameters []string, err error) {
	fault := &refusal{reply: "501 5.5.4 write " + keyword + "<address>"}
	if len(s) < len(keyword) || !strings.EqualFold(s[:len(keyword)], keyword) {
		return "", nil, fault
	}
	path, ok := strings.CutPrefix(strings.TrimLeft(s[len(keyword):], " "), "<")
	address, rest, found := strings.Cut(path, ">")
	if !ok || !found || rest != "" && rest[0] != ' ' || len(address) > maxPath {
		return "", nil, fault
	}
	return address, strings.Fields(rest), nil
}

// checkAddress refuses characters that are not printable ASCII or, with SMTPUTF8, UTF-8.
func checkAddress(address string, isUTF8 bool) error {
	isControl := func(r rune) bool { return r <= ' ' || r == 0x7f }
	switch {
	case strings.ContainsFunc(address, isControl), !utf8.ValidString(address):
		return &refusal{reply: "501 5.1.7 the address is not printable"}
	case !isUTF8 && !isPrintable(address):
		return &refusal{reply: "553 5.6.7 the address needs SMTPUTF8"}
	}
	return nil
}
