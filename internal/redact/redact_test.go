package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"fetch http://reader:S3CRET@www.example.org/feed.xml: refused", "fetch http://reader:***@www.example.org/feed.xml: refused"},
		{"https://ghp_S3CRET@www.example.org/", "https://***@www.example.org/"},
		{"postgres://dibao@db/dibao", "postgres://dibao@db/dibao"},
		{`"postgres://dibao:S3CRET@db:5432/dibao?sslpassword=S3CRET2" is wrong`, `"postgres://dibao:***@db:5432/dibao?sslpassword=***" is wrong`},
		{"socks5://a:S3CRET:x@b@proxy:1080", "socks5://a:***@proxy:1080"},
		{"https://social.example/@user.rss and http://h:80/@x", "https://social.example/@user.rss and http://h:80/@x"},
		{"https://rss.example/feed?page=2&key=S3CRET#top", "https://rss.example/feed?page=2&key=***#top"},
		{"?api_key=S3CRET&access_token=S3CRET2&monkey=1", "?api_key=***&access_token=***&monkey=1"},
		{"host=db password='S3CRET x' user=dibao", "host=db password=*** user=dibao"},
		{"host=db password=S3CRET user=dibao", "host=db password=*** user=dibao"},
		{"panic: https://policy.example/u/AbCdEfGhIjKlMnOpQrSt: x", "panic: https://policy.example/u/***: x"},
		{"/preferences/AbCdEfGhIjKlMnOpQrSt?lang=en", "/preferences/***?lang=en"},
		{"https://people.example/u/zhang/posts", "https://people.example/u/zhang/posts"},
		{"token dibao_S3CRETS3CRETS3CRETS3CRET is wrong", "token *** is wrong"},
		{"Authorization: Bearer S3CRETS3CRET", "Authorization: Bearer ***"},
		{"-----BEGIN RSA PRIVATE KEY-----\nS3CRET\n-----END RSA PRIVATE KEY-----", "(private key)"},
		{"-----BEGIN PRIVATE KEY-----\nS3CRET", "(private key)"},
		{"set host in [mail]; key=value 国务院", "set host in [mail]; key=value 国务院"},
	}
	for _, tt := range tests {
		if got := Text(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
		if once := Text(tt.in); Text(once) != once {
			t.Errorf("%q: a second pass changes it to %q", once, Text(once))
		}
	}
}

func TestRegisteredSecretsAreFoundAnywhere(t *testing.T) {
	t.Parallel()
	Register("Kq7/vT+long")
	RegisterURL("postgres://dibao:pa/ss?w#Zr81@db/x")
	Register("short")
	for in, want := range map[string]string{
		"the model says: invalid key Kq7/vT+long": "the model says: invalid key ***",
		"GET /?x=Kq7%2FvT%2Blong":                 "GET /?x=***",
		"cannot parse pa/ss?w#Zr81":               "cannot parse ***",
		"a short answer":                          "a short answer",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, prefix := range TokenPaths {
		if got := Path(prefix + "abc"); got != prefix+Mark {
			t.Errorf("%s: got %q", prefix, got)
		}
	}
	if got := Path("/articles/1"); got != "/articles/1" {
		t.Errorf("got %q", got)
	}
}

func TestHandlerAndTypesShowNothing(t *testing.T) {
	t.Parallel()
	type deep struct {
		Password Secret
		URL      Address
	}
	value := deep{"S3CRET", "https://a:S3CRET@models.example/v1"}
	u, _ := url.Parse("https://a:S3CRET@models.example/v1")
	var text, lines bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&lines, nil)} {
		log := slog.New(Handler(h)).With("proxy", "http://a:S3CRET@proxy:3128").WithGroup("x")
		log.Error("could not ask http://a:S3CRET@b/", "err", fmt.Errorf("get: %w", errors.New("https://a:S3CRET@c/")), "value", value, "pointer", &value,
			"url", u, "list", []string{"https://a:S3CRET@d/"}, "secret", value.Password, slog.Group("g", "in", "https://a:S3CRET@e/"))
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"text": text.String(), "json": lines.String(), "encoded": string(encoded), "printed": fmt.Sprintf("%v %+v %#v %s", value, value, value, value)} {
		if strings.Contains(out, "S3CRET") || !strings.Contains(out, Mark) {
			t.Errorf("%s: %s", name, out)
		}
	}
	if value.Password.Reveal() != "S3CRET" {
		t.Error("the secret is lost")
	}
}

func FuzzText(f *testing.F) {
	f.Add("http://a:b@c/u/AbCdEfGhIjKlMnOpQrSt?key=1")
	f.Fuzz(func(t *testing.T, s string) {
		secret := "http://user:Xq9Vw3Zk@host/ "
		if out := Text(secret + s); strings.Contains(out, "Xq9Vw3Zk") && !strings.Contains(s, "Xq9Vw3Zk") {
			t.Errorf("%q gives %q", s, out)
		}
	})
}
