package summarize

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const source = "样例市人民政府决定，自2024年5月1日起，对养老机构按每张床位5,000元补贴（样政发〔2024〕12号）。"

// model is a server that answers as an endpoint does.
func model(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	c, err := New(Options{URL: s.URL + "/v1/", Model: "sample", Key: "secret", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says returns a response with a summary.
func says(text, finish string, tokens int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"model":"sample-1","choices":[{"message":{"role":"assistant","content":%q},"finish_reason":%q}],"usage":{"total_tokens":%d}}`, text, finish, tokens)
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	var got struct {
		Model     string    `json:"model"`
		MaxTokens int       `json:"max_tokens"`
		Messages  []message `json:"messages"`
	}
	c := model(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &got); err != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s %q: %v", r.URL.Path, r.Header.Get("Authorization"), err)
		}
		says("From 2024-05-01 the city pays 5000 yuan a bed\n (样政发〔2024〕12号).", "stop", 321)(w, r)
	})
	out, err := c.Summarize(t.Context(), Request{Title: "样例", Text: source + strings.Repeat("长", 50_000), Language: "en"})
	if err != nil || out.Text != "From 2024-05-01 the city pays 5000 yuan a bed (样政发〔2024〕12号)." || out.Tokens != 321 || out.Model != "sample-1" {
		t.Errorf("%+v, %v", out, err)
	}
	if got.Model != "sample" || got.MaxTokens != maxTokens || len(got.Messages) != 2 || len([]rune(got.Messages[1].Content)) > maxInput+10 {
		t.Errorf("asked %+v", got.Model)
	}
}

func TestAnswersThatAreNotUsed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"Invented": says("自2025年5月1日起补贴。", "stop", 1),
		"Empty":    says(" \n ", "stop", 1),
		"Cut":      says("样例市决定", "length", 1),
		"TooLong":  says(strings.Repeat("样", maxOutput+1), "stop", 1),
		"None":     func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"choices":[]}`) },
	} {
		out, err := model(t, answer).Summarize(t.Context(), Request{Title: "样例", Text: source, Language: "zh"})
		if !errors.Is(err, ErrRejected) || out.Tokens == 0 {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"NoJSON": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"Huge":   func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", maxAnswer+10)) },
		"Slow": func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // only then does the server notice that the client is gone
			<-r.Context().Done()
		},
		"Moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
	} {
		c := model(t, answer)
		c.timeout = 200 * time.Millisecond
		if out, err := c.Summarize(t.Context(), Request{Text: source, Language: "zh"}); err == nil || errors.Is(err, ErrRejected) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	busy := model(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	var status *StatusError
	if _, err := busy.Summarize(t.Context(), Request{Text: source, Language: "zh"}); !errors.As(err, &status) || status.Status != 429 || status.RetryAfter != 30*time.Second {
		t.Error(err)
	}
	if _, err := busy.Summarize(t.Context(), Request{Text: source, Language: "fr"}); err == nil {
		t.Error("a summary in another language than requested was accepted")
	}
	for _, o := range []Options{{URL: "models.example.org", Model: "x"}, {URL: "https://models.example.org"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"自2024年5月1日起。"}}]}`))
	f.Add([]byte(`{"choices":null,"usage":{"total_tokens":-1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := read(b, "m", source)
		if err == nil && (out.Text == "" || len([]rune(out.Text)) > maxOutput || out.Tokens <= 0 || strings.ContainsAny(out.Text, "\n\x00") || invented(out.Text, source) != "") {
			t.Fatalf("%+v is accepted", out)
		}
	})
}
