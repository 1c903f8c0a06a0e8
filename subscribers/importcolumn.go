package subscribers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// column is the meaning of a column of an import.
type column int

// The known meanings.
const (
	columnOther    column = iota // ignored, unless its values look like a state
	columnHarmless               // ignored
	columnAddress
	columnLanguage
	columnFormat
	columnList
	columnState  // in the words of our export
	columnStatus // in the words of other programs
	columnKind   // contains more than states: "regular", "vip", "unsubscribed"
	columnAgreed // yes or since when, if the reader gets mail at this address
	columnLeft   // yes, when or why, if the reader gets no mail there
	columnSaid   // an admin says that the column contains states
	columnSince
	columnConsent
	columnThemes
	columnRegions
	columnFrequency
	columnProfile // one of profileWords
)

// headerWords are names of columns whose meaning does not follow from their words,
// normalized by plain. Sources: our own export; the exports of Mailchimp, listmonk
// (cmd/subscribers.go), Ghost (members-csv), Buttondown, phpList (the column titles in
// admin/structure.php), Mautic, MailPoet (ImportExportFactory.php), MailerLite, Brevo,
// HubSpot and Substack, and usual words in spreadsheets.
var headerWords = map[column]string{
	columnLanguage:  "language, lang, locale, preferredlocale, 语言, sprache, langue, idioma, 言語",
	columnFormat:    "format, 格式",
	columnList:      "list, lists, 列表, 订阅列表, 邮件列表",
	columnState:     "state",
	columnSince:     "confirmedat, confirmtime, optintime, 订阅时间, 确认时间",
	columnConsent:   "consent, 同意, 同意依据, 同意记录",
	columnThemes:    "themes, 主题, 订阅主题",
	columnRegions:   "regions, 订阅地区",
	columnFrequency: "frequency, 频率",
	columnKind:      "type, subscribertype, subscriptiontype, membership, role, 类型, typ, tipo",
	columnStatus: "status, subscriptionstatus, subscriberstatus, emailstatus, emailmarketing, emailmarketingstatus, memberstatus, membershipstatus, " +
		"contactstatus, liststatus, globalstatus, deliverystatus, marketingcontactstatus, marketingstatus, mailstatus, 状态, 订阅状态, 邮件状态, 会员状态, 用户状态, 狀態, " +
		"訂閱狀態, statut, etat, statutdabonnement, estado, estadodesuscripcion, abostatus, abonnementstatus, anmeldestatus, ステータス, 状態, 配信状態, 購読状態, 配信ステータス, stato, statodiscrizione, situacao, статус, stan, durum, 상태, 구독상태",
	columnAgreed: "subscribed, issubscribed, subscribedtoemails, emailsubscribed, subscribedtoemail, confirmed, isconfirmed, isthissubscriberconfirmed, emailconfirmed, " +
		"verified, isverified, emailverified, active, isactive, enabled, isenabled, optin, optedin, doubleoptin, emailoptin, marketingoptin, optinstatus, acceptsmarketing, " +
		"acceptsemailmarketing, emailmarketingconsent, marketingconsent, marketingpermission, mailable, deliverable, valid, isvalid, 是否订阅, 已订阅, 订阅, 是否有效, 有效, " +
		"是否启用, 启用, 是否确认, 已确认, 是否激活, 已激活, 激活, 是否接收, 是否同意, 是否在订, 接收邮件, 是否訂閱, 已訂閱, abonniert, angemeldet, bestatigt, aktiv, abonne, inscrit, " +
		"confirme, actif, suscrito, confirmado, activo, 購読, 購読中, 確認済み, 有効, 配信可, 配信許可, 配信希望, メルマガ購読, activated, iscritto, inscrito, aangemeld, подписан, 수신동의",
	columnHarmless: "name, firstname, lastname, middlename, fullname, displayname, fname, lname, surname, givenname, vorname, nachname, prenom, nom, apellido, apellidos, " +
		"姓名, 姓, 名字, 名前, 氏名, opens, clicks, sent, emailssent, opened, clicked, id, uuid, uid, uniqid, uniqueid, key, no, nr, number, 序号, 编号, 番号, leid, euid, memberrating, rating, score, points, dstoff, gmtoff, " +
		"bouncecount, complimentaryplan, activesubscription, digestenabled, canceldate, htmlemail, sendthissubscriberhtmlemails, didthissubscribermanuallyconfirm, " +
		"gender, sex, 性别, geschlecht, vip, ispublished, leadstatus, lifetimevalue, lifecyclestage, additionalemailaddresses",
}

// profileWords are names of columns that say what a reader is, by the field of the profile.
// 地区 is where the reader is: it does not limit what they get, as "regions" does.
var profileWords = map[string]string{
	"entities":       "profileentities, 主体类型, 单位类型, 机构类型, 单位性质",
	"regions":        "profileregions, 地区, 所在地区, 所在地, 省份, 所在省份",
	"industries":     "profileindustries, 行业, 所属行业, 所在行业",
	"size":           "profilesize, 规模, 企业规模, 单位规模",
	"qualifications": "profilequalifications, 资质, 企业资质, 已有资质",
	"topics":         "profiletopics, 关注主题",
}

var headers, profileHeaders = tableOf(headerWords), tableOf(profileWords)

// Values of columns in Chinese files.
var (
	frequencyWords = map[string]Frequency{"每期": EveryIssue, "每周": Weekly, "每月": Monthly, "至多每周一封": Weekly, "至多每月一封": Monthly}
	languageWords  = map[string]string{"中文": "zh", "简体中文": "zh", "汉语": "zh", "英文": "en", "英语": "en"}
	formatWords    = map[string]Format{"带格式": HTML, "网页": HTML, "纯文本": Text, "文本": Text}
)

// The name of a column says what it contains: tokens are whole words of it, parts occur
// anywhere in its plain form. Columns that count, contain links or concern another channel
// are harmless whatever else their names say.
var (
	harmlessTokens = words("count, counts, number, total, rate, score, url, link, token, hash, sms, phone, whatsapp, push, postal, anzahl, nombre, soft, amount, spent, revenue, orders, tax, ip")
	harmlessParts  = words("次数, 数量, 短信, 电话, 手机, 回数, 电话号码")
	leftTokens     = words("left, quit, dnc, nomail, baja, spam, abuse, removed, deleted, disabled, invalid, trashed, revoked, withdrawn, bloque, deactivated, deaktiviert, deceased")
	leftParts      = words("unsub, optout, optedout, optingout, blacklist, blocklist, blocked, bounce, complain, donotcontact, donotemail, donotmail, dontemail, isdeleted, isremoved, isdisabled, " +
		"deletedat, removedat, emaildisabled, onhold, suppress, cleantime, cleancampaign, cleaned, undeliverable, quarantine, markedasspam, spamreport, " +
		"退订, 退訂, 取消订阅, 取消訂閱, 黑名单, 黑名單, 拒收, 拒绝, 屏蔽, 封禁, 停用, 禁用, 删除, 注销, 退信, 投诉, 无效, 失效, 不再, 撤回, 离开, " +
		"abgemeldet, abmelde, abbestell, gesperrt, sperrliste, geloscht, widerruf, desabonn, desinscri, plainte, supprim, listenoire, rebond, " +
		"desuscri, dadodebaja, cancelad, rebotad, rebotes, bloquead, eliminad, listanegra, queja, 配信停止, 購読解除, 登録解除, 解除, 退会, 停止, 拒否, ブロック, バウンス, ブラックリスト, 不達, disiscri, descadastr, afgemeld, uitgeschreven, отпис, 수신거부, 구독취소, 해지")
	mailParts  = words("mail, courriel, correo, correio, メール, メアド, 이메일, 메일, почт, 邮箱, 邮件, 信箱, 邮址, 电邮, 電郵, 郵件, 郵箱, 電子郵")
	otherMails = words("owner, sender, referrer, domain, template, client, parent, manager, assistant, supervisor, admin, type, label, 域名, 负责人, 经办人")
	// sureAddress are names of columns that contain only addresses; those in weakAddress may also
	// contain other things.
	sureAddress = words("email, emails, emailid, emailaddress, emailaddresses, emailaddr, mail, mails, mailid, mailaddress, eaddress, " +
		"邮箱, 电子邮箱, 邮箱地址, 电子邮件, 邮件地址, 电子邮件地址, 电子邮箱地址, 邮件, 电邮, 电邮地址, 电子信箱, 信箱, 邮箱账号, 邮址, 電子郵件, 電子信箱, 電郵, 郵箱, " +
		"emailadresse, mailadresse, epost, epostadresse, emailanschrift, adresseemail, adressemail, adressedemail, adresseelectronique, adressedecourriel, courriel, courrielelectronique, " +
		"courrierelectronique, correo, correoelectronico, direcciondecorreo, direcciondecorreoelectronico, direcciondeemail, " +
		"メール, eメール, メールアドレス, eメールアドレス, 電子メール, 電子メールアドレス, メアド, " +
		"indirizzoemail, indirizzodiposta, postaelettronica, indirizzodipostaelettronica, correioeletronico, enderecodeemail, enderecoeletronico, emailadres, mailadres, электроннаяпочта, элпочта, почта, имейл, adresemail, eposta, epostaadresi, 이메일, 이메일주소, 메일, 메일주소")
	weakAddress = words("address, addr, subscriber, subscribedaddress, recipient, contact, user, username, login, account, member, adresse, direccion, 地址, 收件人, 联系方式, 联系邮箱, 账号, 帐号, 用户, アドレス, 連絡先")
)

// words returns a function that splits a list of words, in the form of plain, on its first call.
func words(list string) func() []string {
	return sync.OnceValue(func() []string {
		all := strings.Split(list, ", ")
		for i := range all {
			all[i] = plain(all[i])
		}
		return all
	})
}

func tableOf[K comparable](lists map[K]string) func() map[string]K {
	return sync.OnceValue(func() map[string]K {
		table := make(map[string]K)
		for k, list := range lists {
			for _, w := range words(list)() {
				table[w] = k
			}
		}
		return table
	})
}

// plain returns a word in lower case and half width, without spaces, marks and accents.
func plain(word string) string {
	ascii := true
	for _, r := range word {
		ascii = ascii && r < 0x80
	}
	if !ascii {
		word = norm.NFD.String(width.Fold.String(strings.ReplaceAll(word, "ß", "ss")))
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, word))
}

func holdsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// headerOf returns the meaning of a column by its name; columnAddress is determined
// elsewhere.
func headerOf(name string) column {
	p := plain(name)
	if c, ok := headers()[p]; ok {
		return c
	}
	if profileHeaders()[p] != "" {
		return columnProfile
	}
	switch {
	case holdsAny(p, harmlessParts()), holdsToken(name, harmlessTokens()):
		return columnHarmless
	case holdsAny(p, leftParts()), holdsToken(name, leftTokens()):
		return columnLeft
	}
	return columnOther
}

// holdsToken reports whether one of the words of a name, such as the two of
// bounceCount, is in a list.
func holdsToken(name string, list []string) bool {
	var spaced strings.Builder
	small := false
	for _, r := range name {
		if unicode.IsUpper(r) && small {
			spaced.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		spaced.WriteRune(r)
	}
	tokens := strings.FieldsFunc(spaced.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.ContainsFunc(tokens, func(t string) bool { return slices.Contains(list, plain(t)) })
}

// ColumnChoice is what an admin states about the columns of a file, each given by its name
// or by its number, from 1.
type ColumnChoice struct {
	Address string   // "" means the column with a usual name
	Status  []string // columns that say whether a reader gets mail at this address
	Ignore  []string // do not say this, although they seem to
}

// columnsOf returns the meanings of the columns of a file, given their names
// and the first data row.
func columnsOf(names, first []string, choice ColumnChoice) ([]column, error) {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = headerOf(name)
	}
	for c, list := range map[column][]string{columnHarmless: choice.Ignore, columnSaid: choice.Status} {
		for _, name := range list {
			at, err := columnNamed(names, name)
			if err != nil {
				return nil, err
			}
			if c == columnHarmless || columns[at] != columnLeft {
				columns[at] = c
			}
		}
	}
	at, err := addressColumn(names, first, columns, choice.Address)
	if err == nil {
		columns[at] = columnAddress
	}
	return columns, err
}

// unread returns the names of the columns that the import does not use, in the order of the
// file, without those that the admin excluded.
func (in *importReader) unread(choice ColumnChoice) []string {
	ignored := make(map[int]bool)
	for _, name := range choice.Ignore {
		if at, err := columnNamed(in.names, name); err == nil {
			ignored[at] = true
		}
	}
	names := []string{}
	for i, c := range in.columns {
		name := clipField(strings.TrimSpace(in.names[i]))
		if (c == columnOther || c == columnHarmless) && name != "" && !ignored[i] {
			names = append(names, name)
		}
	}
	return names
}

func columnNamed(names []string, name string) (int, error) {
	found := -1
	for i, n := range names {
		if plain(n) == plain(name) {
			if found >= 0 {
				return 0, fmt.Errorf("the file has two columns %q; specify the number of one, counting from 1", name)
			}
			found = i
		}
	}
	if n, err := strconv.Atoi(name); found < 0 && err == nil && n >= 1 && n <= len(names) {
		found = n - 1
	}
	if found < 0 {
		return 0, fmt.Errorf("the file has no column %q (columns: %s)", name, namesOf(names))
	}
	return found, nil
}

// addressColumn finds the column of addresses: the only one with such a name,
// or one with a similar name and an @ in the first row.
func addressColumn(names, first []string, columns []column, chosen string) (int, error) {
	if chosen != "" {
		return columnNamed(names, chosen)
	}
	var sure, like, weak []int
	for i, name := range names {
		at := i < len(first) && strings.Contains(first[i], "@")
		switch p := plain(name); {
		case columns[i] != columnOther:
		case slices.Contains(sureAddress(), p):
			sure = append(sure, i)
		case holdsAny(p, mailParts()) && !holdsToken(name, otherMails()) && at:
			sure = append(sure, i)
		case holdsAny(p, mailParts()):
			like = append(like, i)
		case slices.Contains(weakAddress(), p) && (at || p == "address"):
			weak = append(weak, i)
		}
	}
	for _, found := range [][]int{sure, like, weak} {
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			var several []string
			for _, i := range found {
				several = append(several, fmt.Sprintf("%q (%d)", names[i], i+1))
			}
			return 0, fmt.Errorf("%d columns can be the address: %s; specify one with --column NAME or --column NUMBER", len(found), strings.Join(several, ", "))
		}
	}
	return 0, fmt.Errorf("no column of the file is recognized as the address column; name one \"email\" or \"邮箱\", or specify it with --column NAME (columns: %s)", namesOf(names))
}

func namesOf(names []string) string {
	shown := make([]string, min(len(names), 20))
	for i := range shown {
		shown[i] = clipField(strings.TrimSpace(names[i]))
	}
	return strings.Join(shown, ", ")
}

// clipField truncates a field for a message.
func clipField(field string) string {
	if r := []rune(field); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return field
}
