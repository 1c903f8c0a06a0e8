package subscribers

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/rows"
	"dibao/subscribers/mailaddr"
)

// exports are files as other programs write them. Addresses that may be mailed begin with
// in; all others unsubscribed, bounced, complained or never confirmed.
var exports = map[string]string{
	"Ghost": "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n" +
		"1,in1@example.org,A,,true,false,,2023-01-01,,,\n2,left@example.org,B,,false,false,,2023-01-01,,,\n3,gone@example.org,C,,true,false,,2023-01-01,2024-01-01T00:00:00.000Z,,\n",
	"Substack": "email,active_subscription,expiry,plan,email_disabled,digest_enabled,created_at,first_payment_at\n" +
		"in1@example.org,false,,other,false,true,2023-01-01T00:00:00Z,\nleft@example.org,false,,other,true,true,2023-01-01T00:00:00Z,\n",
	"Buttondown": "email,notes,tags,last_open_date,subscriber_type,source,creation_date\nin1@example.org,,,,regular,import,2023-01-01\nin2@example.org,,,,premium,import,2023-01-01\n" +
		"left@example.org,,,,unsubscribed,import,2023-01-01\nnever@example.org,,,,unactivated,import,2023-01-01\ndead@example.org,,,,undeliverable,import,2023-01-01\nx@example.org,,,,complaining,import,2023-01-01\n",
	"ButtondownType": "id,creation_date,email_address,notes,metadata,tags,referrer_url,secondary_id,type,source\na,2023-01-01,in1@example.org,,{},,,1,regular,api\nb,2023-01-01,left@example.org,,{},,,2,unsubscribed,api\n",
	"phpList":        "Email,Is this subscriber confirmed,Is this subscriber blacklisted,Did this subscriber manually confirm,Number of bounces,Entered,Send this subscriber HTML emails,Is this account disabled?\nin1@example.org,1,0,0,1,2023-01-01,1,0\nleft@example.org,1,1,0,0,2023-01-01,1,0\nnever@example.org,0,0,0,0,2023-01-01,1,0\noff@example.org,1,0,0,0,2023-01-01,1,1\n",
	"phpListColumns": "id\temail\tconfirmed\tblacklisted\thtmlemail\tbouncecount\tdisabled\n1\tin1@example.org\t1\t0\t1\t0\t0\n2\tleft@example.org\t1\t1\t1\t0\t0\n3\tnever@example.org\t0\t0\t1\t0\t0\n",
	"Mautic":         "email,firstname,points,doNotContact\nin1@example.org,A,0,0\nleft@example.org,B,0,1\nbounced@example.org,C,5,2\n",
	"Brevo":          "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLIST;SMS_BLACKLIST;ADDED_TIME\nin1@example.org;L;F;;0;1;2023-01-01\nleft@example.org;L;F;;1;0;2023-01-01\n",
	"BrevoNew":       "CONTACT ID,EMAIL,FIRSTNAME,OPT_IN,BLACKLISTED,EMAIL_MARKETING\n1,in1@example.org,F,Yes,No,subscribed\n2,left@example.org,F,Yes,Yes,unsubscribed\n3,never@example.org,F,No,No,subscribed\n",
	"HubSpot": "Record ID,First Name,Last Name,Email,Email Domain,Unsubscribed from all email,Email hard bounce reason,Marketing contact status,Lead Status\n" +
		"1,A,B,in1@example.org,example.org,,,Marketing contact,New\n2,A,B,in2@example.org,example.org,false,,Marketing contact,\n3,A,B,left@example.org,example.org,true,,Marketing contact,\n4,A,B,dead@example.org,example.org,,UNKNOWN_USER,Marketing contact,\n5,A,B,x@example.org,example.org,,,Non-marketing contact,\n",
	"HubSpotUnsubscribes": "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce\na@example.org,TRUE,,,\nb@example.org,,TRUE,,\nc@example.org,,,TRUE,\nd@example.org,,,,TRUE\n",
	"MailPoet":            "Email,First name,Last name,List status,Global status,IP address\nin1@example.org,A,B,Subscribed,Subscribed,\nleft@example.org,A,B,Subscribed,Unsubscribed,\nlist@example.org,A,B,Unsubscribed,Subscribed,\nnever@example.org,A,B,Subscribed,Unconfirmed,\nidle@example.org,A,B,Subscribed,Inactive,\ndead@example.org,A,B,Subscribed,Bounced,\n",
	"MailPoetGerman":      "E-Mail,Vorname,Nachname,Listenstatus,Status\nin1@example.org,A,B,,Abonniert\nleft@example.org,A,B,,Abgemeldet\nnever@example.org,A,B,,Unbestätigt\n",
	"Sendy":               "Name,Email,Status\nA,in1@example.org,Subscribed\nB,left@example.org,Unsubscribed\nC,dead@example.org,Bounced\nD,spam@example.org,Marked as spam\nE,never@example.org,Unconfirmed\n",
	"MailerLite":          "Subscriber,Status,Sent,Opens,Clicks,Subscribed,Unsubscribed\nin1@example.org,active,3,2,1,2023-01-01 10:00:00,\nleft@example.org,unsubscribed,3,2,1,2023-01-01 10:00:00,2024-01-01 10:00:00\ndead@example.org,bounced,0,0,0,2023-01-01 10:00:00,\njunk@example.org,junk,0,0,0,2023-01-01 10:00:00,\nnever@example.org,unconfirmed,0,0,0,2023-01-01 10:00:00,\n",
	"Mailchimp":           "Email Address,First Name,Last Name,Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\nin1@example.org,A,B,1 Road,2,2020-01-01 10:00:00,192.0.2.1,2020-01-01 10:00:00,192.0.2.1,,,0,1,,,,2020-01-01 10:00:00,1,ab,,\n",
	"MailchimpLeft":       "Email Address,First Name,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER\nleft@example.org,A,2024-01-01 10:00:00,x,1,NORMAL,\n",
	"MailchimpCleaned":    "Email Address,First Name,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID\ndead@example.org,A,2024-01-01 10:00:00,x,1\n",
	"MailchimpGerman":     "Emailadresse,Vorname,UNSUB_TIME,UNSUB_REASON\nleft@example.ch,P,2024-01-01 10:00:00,NORMAL\n",
	"MailchimpJapanese":   "メールアドレス,名前,CLEAN_TIME\ndead@example.jp,P,2024-01-01 10:00:00\n",
	"listmonk":            "uuid,email,name,attributes,status,created_at,updated_at\nx,in1@example.org,A,\"{\"\"city\"\": \"\"B\"\"}\",enabled,2024-01-01,2024-01-01\ny,left@example.org,B,{},blocklisted,2024-01-01,2024-01-01\nz,off@example.org,C,{},disabled,2024-01-01,2024-01-01\n",
	"listmonkLists":       "email,name,status,subscription_status\nin1@example.org,A,enabled,confirmed\nleft@example.org,B,enabled,unsubscribed\nnever@example.org,C,enabled,unconfirmed\n",
	"Mailman2":            "in1@example.org\nA B <in2@example.org>\n\"B, C\" <in3@example.org>\n",
	"Mailman3":            "\"A B\" <in1@example.org>\nin2@example.org\n",
	"Postorius":           "Email,Display name,Delivery status,Delivery mode\nin1@example.org,A,enabled,regular\noff@example.org,B,by_bounces,regular\nuser@example.org,C,by_user,regular\n",
	"Klaviyo":             "Email,First Name,Email Marketing Consent,Email Suppressions\nin1@example.org,A,SUBSCRIBED,\nleft@example.org,B,UNSUBSCRIBED,\nnever@example.org,C,NEVER_SUBSCRIBED,\ndead@example.org,D,SUBSCRIBED,HARD_BOUNCE\n",
	"Odoo":                "Name,Email,Opt Out,Blacklist,Bounce\nA,in1@example.org,FALSE,FALSE,0\nB,left@example.org,TRUE,FALSE,0\nC,bl@example.org,FALSE,TRUE,0\n",
	"CiviCRM":             "Display Name,Email,Do Not Email,No Bulk Emails (User Opt Out),On Hold,Is Deceased\nA,in1@example.org,No,No,No,No\nB,l@example.org,Yes,No,No,No\nC,m@example.org,No,Yes,No,No\nD,n@example.org,No,No,On Hold Bounce,No\nE,o@example.org,No,No,No,Yes\n",
	"CleverReach":         "email;registered;activated;deactivated;bounced\nin1@example.org;2020-01-01;2020-01-01 00:00:00;0000-00-00 00:00:00;0\nleft@example.org;2020-01-01;2020-01-01 00:00:00;2021-05-05 10:00:00;0\ndead@example.org;2020-01-01;2020-01-01 00:00:00;0000-00-00 00:00:00;2021-01-01\nnever@example.org;2020-01-01;0000-00-00 00:00:00;0000-00-00 00:00:00;0\n",
	"Salesforce":          "First Name,Email,Email Opt Out,Email Bounced Reason\nA,in1@example.org,0,\nB,left@example.org,1,\nC,dead@example.org,0,550 5.1.1\n",
	"Ticks":               "姓名,邮箱,退订\n甲,in1@example.org,\n乙,left@example.org,√\n丙,left2@example.org,✔️\n",
	"Italian":             "Indirizzo e-mail,Nome,Stato\nin1@example.org,A,Iscritto\nleft@example.org,B,Disiscritto\n",
	"Portuguese":          "E-mail,Nome,Situação\nin1@example.org,A,Ativo\nleft@example.org,B,Descadastrado\n",
	"Dutch":               "E-mailadres,Naam,Afgemeld\nin1@example.org,A,nee\nleft@example.org,B,ja\n",
	"Russian":             "Эл. почта,Имя,Статус\nin1@example.org,A,Подписан\nleft@example.org,B,Отписан\n",
	"Korean":              "이름,이메일,수신거부\nA,in1@example.org,아니요\nB,left@example.org,예\n",
	"Chinese":             "姓名,邮箱,是否退订\n甲,in1@example.org,否\n乙,left@example.org,是\n",
	"ChineseStatus":       "姓名,电子邮箱地址,订阅状态\n甲,in1@example.org,已订阅\n乙,left@example.org,已退订\n丙,dead@example.org,退信\n",
	"French":              "Nom;Adresse e-mail;Désabonné\nA;in1@example.org;non\nB;left@example.org;oui\n",
	"Spanish":             "Nombre;Correo electrónico;Estado\nA;in1@example.org;Suscrito\nB;left@example.org;Dado de baja\n",
	"Japanese":            "氏名,メールアドレス,配信停止\nA,in1@example.org,いいえ\nB,left@example.org,はい\n",
}

// Nobody who unsubscribed at another provider is subscribed again by its export, and all
// others are imported.
func TestImportTakesNobodyWhoLeftElsewhere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for name, file := range exports {
			t.Run(name, func(t *testing.T) {
				wipe(t, db)
				f := newFixture(t, db)
				out := f.take(file)
				want := strings.Count(file, "in1@") + strings.Count(file, "in2@") + strings.Count(file, "in3@")
				if out.Readers != want || out.Refused != out.Rows-want {
					t.Errorf("%+v, want %d readers", out, want)
				}
				for _, n := range out.Notes {
					if n.Refused && !strings.Contains(n.Why, "provider") {
						t.Errorf("row %d is refused for another reason: %s", n.Row, n.Why)
					}
				}
				if list, err := f.Subscribers(t.Context(), Selection{}); err != nil || slices.ContainsFunc(list, func(s Subscriber) bool { return !strings.HasPrefix(s.Address, "in") }) {
					t.Errorf("somebody who left is a reader: %+v, %v", list, err)
				}
			})
		}
	})
}

// A file that is ambiguous, or contains an unknown state, is refused as a whole, and the
// error says where; an admin's statement resolves it.
func TestImportRefusesRatherThanGuesses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		for name, x := range map[string]struct {
			file, want string
			line       int
			say        ColumnChoice
			taken      int
		}{
			"Unclosed":      {"email,name\na@example.org,\"A\nb@example.org,B\n", "quote", 2, ColumnChoice{}, 0},
			"Ragged":        {"email,name\na@example.org,A\nb@example.org\n", "1 fields", 3, ColumnChoice{}, 0},
			"TwoAddresses":  {"Work Email,Personal Email\na@example.org,b@example.org\n", "--column", 0, ColumnChoice{Address: "personal email"}, 1},
			"Twice":         {"email,email\na@example.org,b@example.org\n", "--column", 0, ColumnChoice{Address: "2"}, 1},
			"NoHeader":      {"a@example.org,b@example.org\n", "--column", 0, ColumnChoice{Address: "1"}, 1},
			"UnknownName":   {"联系,电话\na@example.org,1\n", "--column", 0, ColumnChoice{Address: "联系"}, 1},
			"Flags":         {"email,gets\na@example.org,true\nb@example.org,false\n", "--status-column", 0, ColumnChoice{Status: []string{"gets"}}, 1},
			"IgnoredFlags":  {"email,paid\na@example.org,1\nb@example.org,0\n", "--ignore-column", 0, ColumnChoice{Ignore: []string{"paid"}}, 2},
			"Word":          {"email,x\na@example.org,\nb@example.org,退订\nc@example.org,cleaned\n", "--status-column", 0, ColumnChoice{Ignore: []string{"x"}}, 3},
			"Remark":        {"email,备注\na@example.org,\nb@example.org,2024年已退订\n", "--status-column", 0, ColumnChoice{Ignore: []string{"备注"}}, 2},
			"NoMail":        {"email,reception\na@example.org,mail\nb@example.org,nomail\n", "--status-column", 0, ColumnChoice{Ignore: []string{"reception"}}, 2},
			"Crosses":       {"email,接收\na@example.org,√\nb@example.org,×\n", "--status-column", 0, ColumnChoice{Ignore: []string{"接收"}}, 2},
			"WordAsStatus":  {"email,x\na@example.org,subscribed\nb@example.org,bounced\nc@example.org,\n", "subscribed", 0, ColumnChoice{Status: []string{"X"}}, 1},
			"LeftAsStatus":  {"email,x,unsubscribed\na@example.org,a,0\nb@example.org,b,1\n", "", 0, ColumnChoice{Status: []string{"unsubscribed"}}, 1},
			"StateIgnored":  {"email,State\na@example.org,CA\nb@example.org,NY\n", "", 0, ColumnChoice{Ignore: []string{"state"}}, 2},
			"UnknownColumn": {"email\na@example.org\n", "no column \"y\"", 0, ColumnChoice{Ignore: []string{"y"}}, -1},
		} {
			wipe(t, db)
			f = newFixture(t, db)
			before := f.dump()
			take := func(say ColumnChoice) (Imported, error) {
				return f.Import(t.Context(), Import{Open: opener(x.file), Columns: say, Lists: []List{f.weekly}, Consent: "form 7", Apply: true})
			}
			if x.want != "" {
				say := ColumnChoice{}
				if x.taken < 0 {
					say = x.say
				}
				_, err := take(say)
				if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(x.want, " ")) {
					t.Errorf("%s: got %v, want a word on %s", name, err, x.want)
				}
				if at := new(rows.Error); x.line > 0 && (!errors.As(err, &at) || at.Line != x.line) {
					t.Errorf("%s: %v does not name line %d", name, err, x.line)
				}
				if f.dump() != before {
					t.Errorf("%s: something of a refused file is stored", name)
				}
			}
			if x.line > 0 || x.taken < 0 {
				continue
			}
			if out, err := take(x.say); err != nil || out.Readers != x.taken {
				t.Errorf("%s with %+v: %+v, %v; want %d readers", name, x.say, out, err, x.taken)
			}
		}
	})
}

// The names that people use for columns of addresses, in six languages.
func TestImportKnowsHeadersOfAddresses(t *testing.T) {
	for _, name := range []string{
		"email", "E-mail", "Email Address", "E-Mail-Adresse", "Emailadresse", "Mailadresse", "EMAIL_ADDRESS", "mail", "Your email", "Contact Email", "Work e-mail", "Primary Email Address",
		"E-mail 1 - Value", "User Email", "subscriber", "Username", "邮箱", "电子邮箱", "邮箱地址", "工作邮箱", "联系邮箱", "您的邮箱", "E-mail（电子邮件）", "联系人邮箱", "電子郵件地址", "电子邮件 *",
		"Adresse e-mail", "Adresse électronique", "Courriel", "Adresse de courriel", "Correo electrónico", "Dirección de correo electrónico", "Correo", "メールアドレス", "メール", "Eメール", "電子メール", "会社メール",
	} {
		columns, err := columnsOf([]string{"名称", name}, []string{"x", "a@example.org"}, ColumnChoice{})
		if err != nil || columns[1] != columnAddress {
			t.Errorf("%q is not the address: %v, %v", name, columns, err)
		}
	}
	for _, name := range []string{"accountdisabled", "Unsubscribe URL", "Number of bounces", "Hard Bounces", "Opted out of email: News", "Email hard bounce reason", "SMS_BLACKLIST", "是否退订", "Gelöscht am"} {
		want := columnLeft
		if name == "Unsubscribe URL" || name == "Number of bounces" || name == "SMS_BLACKLIST" {
			want = columnHarmless
		}
		if name == "accountdisabled" {
			want = columnOther
		}
		if got := headerOf(name); got != want {
			t.Errorf("%q is column %d, want %d", name, got, want)
		}
	}
}

// The content of cells of addresses, in the forms that people write.
func TestImportReadsCellsOfAddresses(t *testing.T) {
	for cell, want := range map[string]string{
		`"Z" <a@example.org>`: "a@example.org", "<a@example.org>": "a@example.org", "MAILTO:a@example.org": "a@example.org", " a@example.org ": "a@example.org",
		"\u200ba@example.org": "a@example.org seen", "a@example.org\u00a0": "a@example.org seen", "a\u200e@example.org": "a@example.org seen", "a＠example．org": "a@example.org",
		"a@example.org;b@example.org": "several", "a@example.org, b@example.org": "several", "a@example.org/b@example.org": "several", "a\u00a0b@example.org": "invalid address", "": "no address", "\u3000": "no address",
	} {
		address, cleaned, why := mailaddr.InField(cell)
		if cleaned && address != "" {
			address += " seen"
		}
		if address != want && (why == "" || !strings.Contains(why, want)) {
			t.Errorf("%q: %q, %q; want %q", cell, address, why, want)
		}
	}
}

func TestImportReadsSharedCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "data", "cases", "imports", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Skip("the shared test data is not beside this checkout")
	}
	taken := map[string]int{
		"a-bom.csv": 1, "c-semicolon.csv": 1, "d-named.csv": 4, "e-invalid.csv": 1, "g-mailchimp-de.csv": 1, "k-utf16.csv": 1, "l-quoted-newline.csv": 2, "n-invisible.csv": 7,
		"o-mac-cr.csv": 2, "zk-listmonk.csv": 1, "zl-mailchimp-unsub.csv": 0, "zo-ghost.csv": 1, "zp-buttondown.csv": 1, "zt-mautic.csv": 1,
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, path := range files {
			name := filepath.Base(path)
			if strings.HasSuffix(name, ".report.csv") {
				continue
			}
			wipe(t, db)
			f := newFixture(t, db)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out, err := f.Import(t.Context(), Import{Open: opener(string(text)), Lists: []List{f.weekly}, Consent: "form 7", Apply: true})
			want, readable := taken[name]
			if readable != (err == nil) || out.Readers != want && readable {
				t.Errorf("%s: %+v, %v; want %d, readable %t", name, out, err, want, readable)
			}
			t.Logf("%s: %d taken, %d refused, %v", name, out.Readers, out.Refused, err)
		}
	})
}

// A word in two tables would have the meaning of the one that the program searched last.
func TestImportWordsMeanOneThing(t *testing.T) {
	if len(headers()) != wordsIn(headerWords) || len(providerStates()) != wordsIn(providerStateWords) {
		t.Errorf("%d headers of %d words, %d providerStates of %d", len(headers()), wordsIn(headerWords), len(providerStates()), wordsIn(providerStateWords))
	}
}

func wordsIn[K comparable](lists map[K]string) (n int) {
	for _, list := range lists {
		n += len(words(list)())
	}
	return n
}
