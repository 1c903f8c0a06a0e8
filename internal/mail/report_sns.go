package mail

import (
	"encoding/json"
	"strings"
)

// notification is a message of Amazon SES by SNS, mailed as a line of JSON.
type notification struct {
	Type      string `json:"notificationType"`
	EventType string `json:"eventType"`
	Bounce    struct {
		Type       string `json:"bounceType"`
		Recipients []struct {
			Address    string `json:"emailAddress"`
			Action     string `json:"action"`
			Status     string `json:"status"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Recipients []struct {
			Address string `json:"emailAddress"`
		} `json:"complainedRecipients"`
		Kind string `json:"complaintFeedbackType"`
	} `json:"complaint"`
	Delivery struct {
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
	Mail struct {
		MessageID string   `json:"messageId"`
		To        []string `json:"destination"`
	} `json:"mail"`
}

// notificationIn reads a notification at the start of a text; SNS adds its own words after
// it. JSON in an email has line breaks inside strings.
func notificationIn(text string) (r Report, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || !strings.Contains(text, "otificationType") && !strings.Contains(text, `"eventType"`) {
		return Report{}, false
	}
	var n notification
	for _, joined := range []string{text, strings.NewReplacer("\r\n", "", "\n", "", "!\n ", "").Replace(text)} {
		if err := json.NewDecoder(strings.NewReader(joined)).Decode(&n); err == nil {
			break
		}
	}
	switch n.Type + n.EventType {
	case "Bounce":
		r.Kind = ReportBounce
		for _, b := range n.Bounce.Recipients {
			one := ReportRecipient{Address: firstAddress(b.Address), Action: strings.ToLower(b.Action), Text: clipText(b.Diagnostic)}
			if one.Action == "" {
				one.Action = "failed"
			}
			one.Status, one.Code = codesIn(b.Status + " " + b.Diagnostic)
			if one.Status == "" && n.Bounce.Type == "Transient" {
				one.Status = "4.0.0"
			}
			r.Recipients = append(r.Recipients, one)
		}
	case "Complaint":
		r.Kind = ReportComplaint
		for _, c := range n.Complaint.Recipients {
			r.Recipients = append(r.Recipients, ReportRecipient{Address: firstAddress(c.Address), Action: "failed", Text: clipText(n.Complaint.Kind)})
		}
	case "Delivery":
		r.Kind = ReportBounce // a report of success, as a DSN with the action "delivered" is
		for _, to := range n.Delivery.Recipients {
			one := ReportRecipient{Address: firstAddress(to), Action: "delivered", Text: clipText(n.Delivery.Response)}
			one.Status, one.Code = codesIn(n.Delivery.Response)
			r.Recipients = append(r.Recipients, one)
		}
	default:
		return Report{}, false
	}
	if len(r.Recipients) > maxRecipients {
		r.Recipients = r.Recipients[:maxRecipients]
	}
	return r, true
}

// codesIn returns the first enhanced status and the first reply code in a text:
// those of a refusal, if there is one.
func codesIn(text string) (status, code string) {
	return refusalOf(enhancedIn.FindAllStringSubmatch(text, maxCodes)), refusalOf(codeIn.FindAllStringSubmatch(text+" ", maxCodes))
}

// maxCodes is the number of codes of a text that are examined: a transcript has dozens.
const maxCodes = 50

func refusalOf(found [][]string) string {
	for _, m := range found {
		if m[1][0] != '2' {
			return m[1]
		}
	}
	if len(found) > 0 {
		return found[0][1]
	}
	return ""
}
