package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

func TestAPIOffersTheVerbsThatATokenMayUse(t *testing.T) {
	t.Parallel()
	url := databasetest.SQLite(t)
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	if _, err := a.subscribers.CreateList(t.Context(), subscribers.List{Slug: "weekly"}); err != nil {
		t.Fatal(err)
	}
	var err error
	tokens := map[string]string{"none": "", "wrong": "dibao_" + strings.Repeat("A", 43)}
	for name, scopes := range map[string][]string{"reader": {"read"}, "adder": {"subscriber:add"}, "all": {"subscriber", "list", "read"}, "gone": {"read"}} {
		if tokens[name], err = a.subscribers.CreateAPIToken(t.Context(), name, scopes); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.subscribers.RevokeAPIToken(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	a.api = newAPI(a, globals{database: url})
	server := httptest.NewServer(a.adminHandler())
	defer server.Close()
	post := func(token, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	const add = `{"args": ["a@example.org"], "flags": {"list": ["weekly"], "consent": "by the shop"}}`
	for _, step := range []struct {
		token, path, body string
		status            int
		answer            string
	}{
		{"none", "/api/list/show", "", 401, "no such token"},
		{"wrong", "/api/list/show", "", 401, "no such token"},
		{"gone", "/api/list/show", "", 401, "no such token"},
		{"reader", "/api/list/show", "", 200, `"slug":"weekly"`},
		{"reader", "/api/subscriber/add", add, 403, "does not allow"},
		{"adder", "/api/subscriber/list", "", 403, "does not allow"},
		{"adder", "/api/subscriber/add", add, 200, ""},
		{"reader", "/api/subscriber/list", `{"args": ["*@example.org"], "flags": {"state": "confirmed", "limit": 5}}`, 200, `"address":"a@example.org"`},
		{"reader", "/api/subscriber/show", `{"args": ["nobody@example.org"]}`, 404, "no reader"},
		{"all", "/api/subscriber/unsubscribe", `{"args": ["a@example.org"]}`, 200, ""},
		{"all", "/api/subscriber/add", add, 422, "only the reader can subscribe again"},
		{"all", "/api/subscriber/export", `{}`, 404, "no command"},
		{"all", "/api/restore/x", `{}`, 404, "no command"},
		{"all", "/api/subscriber/suppress", `{"flags": {"file": "/etc/passwd"}}`, 400, "does not accept --file"},
		{"all", "/api/subscriber/list", `{"flags": {"database=x": "y"}}`, 400, "no flag"},
		{"all", "/api/subscriber/show", `{"args": ["--config=/etc/passwd"]}`, 422, "invalid address"},
		{"all", "/api/subscriber/list", `{"surprise": 1}`, 400, "unknown field"},
		{"all", "/api/subscriber/list", `{"flags": {"limit": {"a": 1}}}`, 400, "must be a string"},
		{"reader", "/api/audit", `{"flags": {"action": "subscriber add"}}`, 200, `"actor":"token:adder"`},
	} {
		status, answer := post(tokens[step.token], step.path, step.body)
		if status != step.status || !strings.Contains(answer, step.answer) {
			t.Errorf("%s %s %s: got %d %s, want %d with %q", step.token, step.path, step.body, status, answer, step.status, step.answer)
		}
	}
	for i := range 30 { // guessing is limited
		if status, _ := post(tokens["wrong"], "/api/list/show", ""); status == 429 {
			break
		} else if i == 29 {
			t.Error("30 wrong tokens were answered")
		}
	}
	if all, err := a.subscribers.APITokens(t.Context()); err != nil || len(all) != 4 || all[0].CreatedAt.IsZero() {
		t.Errorf("tokens %+v, %v", all, err)
	}
	if status, _ := post(tokens["reader"], "/api/list/show", ""); status != 200 {
		t.Errorf("a good token among wrong ones: %d", status)
	}

	a.api = nil
	off := httptest.NewServer(a.adminHandler())
	defer off.Close()
	res, err := http.Post(off.URL+"/api/list/show", "application/json", nil)
	if err != nil || res.StatusCode != 404 {
		t.Errorf("the API is on without being asked for: %v, %v", res, err)
	}
	res.Body.Close()
}

// TestAPIIsDescribed compares the description of the API with what it accepts.
func TestAPIIsDescribed(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(describeAPI("http://127.0.0.1:9090"))
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("DIBAO_OPENAPI"); file != "" { // for redocly lint
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Properties struct {
							Flags struct {
								Properties map[string]struct {
									Type        string
									Description string
									Enum        []string
								}
							}
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Paths) != len(apiVerbs) {
		t.Errorf("%d paths, %d verbs", len(d.Paths), len(apiVerbs))
	}
	for _, verb := range apiVerbs {
		op, ok := d.Paths["/api/"+strings.ReplaceAll(verb, " ", "/")]["post"]
		if !ok || op.OperationID != strings.ReplaceAll(verb, " ", "-") {
			t.Errorf("%s is not described: %+v", verb, op)
		}
		for name, flag := range op.RequestBody.Content["application/json"].Schema.Properties.Flags.Properties {
			if slices.Contains(apiClosedFlags, name) || flag.Type == "" || flag.Description == "" {
				t.Errorf("%s --%s: %+v", verb, name, flag)
			}
		}
	}
	states := d.Paths["/api/subscriber/list"]["post"].RequestBody.Content["application/json"].Schema.Properties.Flags.Properties["state"]
	if states.Type != "string" || !slices.Contains(states.Enum, "confirmed") {
		t.Errorf("the states of readers: %+v", states)
	}
}
