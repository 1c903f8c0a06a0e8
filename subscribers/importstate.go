package subscribers

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"dibao/internal/lazyregexp"
)

// providerState is the state of a reader at another provider.
type providerState int

const (
	providerUnknown providerState = iota
	providerIn
	providerLeft
	providerDead
	providerPending
	providerYes
	providerNo
	providerCrossed // subscribed to some lists and not to others
)

// providerStateWords are the words for states, in plain form, that the programs named at
// headerWords write.
var providerStateWords = map[providerState]string{
	providerYes: "true, yes, y, t, 1, on, 是, 对, 真, ja, oui, vrai, si, verdadero, はい, 有, sim, да, tak, evet, 예, 네",
	providerNo:  "false, no, n, f, 0, off, none, null, nil, na, never, 否, 不是, 假, 无, nein, non, faux, falso, いいえ, 無, 偽, nee, nao, нет, nie, hayir, 아니요, 아니오",
	providerIn: "subscribed, resubscribed, confirmed, enabled, active, activated, member, regular, premium, paid, free, comped, complimentary, gifted, trialed, churning, " +
		"pastdue, marketingcontact, verified, optedin, optin, 已订阅, 订阅, 订阅中, 在订, 已确认, 正常, 有效, 启用, 已启用, 活跃, 已激活, 激活, 已訂閱, 正常訂閱, " +
		"abonniert, angemeldet, bestatigt, aktiv, abonne, inscrit, actif, confirme, suscrito, activo, confirmado, 購読中, 購読, 有効, 配信中, 登録済み, 登録中, 登録, 確認済み, " +
		"iscritto, iscritta, attivo, attiva, confermato, inscrito, ativo, ativa, aangemeld, ingeschreven, actief, bevestigd, подписан, подписана, активен, активный, подтвержден, prenumererar, tilmeldt, pameldt, zapisany, aktywny, 구독, 구독중, 수신, 수신동의",
	providerLeft: "unsubscribed, unsubscribe, optedout, optout, left, removed, deleted, cancelled, canceled, archived, trash, trashed, churned, nonmember, donotcontact, dnc, " +
		"已退订, 退订, 已取消, 取消, 取消订阅, 已取消订阅, 未订阅, 不订阅, 拒收, 已注销, 注销, 已删除, 删除, 已退訂, 退訂, 已离开, " +
		"abgemeldet, abbestellt, ausgetragen, geloscht, widerrufen, desabonne, desinscrit, supprime, resilie, dadodebaja, baja, desuscrito, cancelado, eliminado, nosuscrito, " +
		"配信停止, 解除, 解除済み, 購読解除, 登録解除, 退会, 退会済み, 停止, 停止中, 拒否, nomail, noemail, notsending, notsubscribed, donotmail, donotemail, donotsend, " +
		"disiscritto, disiscritta, cancellato, cancellata, annullato, descadastrado, desinscrito, removido, excluido, afgemeld, uitgeschreven, opgezegd, отписан, отписана, отписался, удален, avregistrerad, avmeldt, afmeldt, wypisany, 구독취소, 수신거부, 해지, 탈퇴",
	providerDead: "bounced, hardbounced, hardbounce, softbounced, bounce, bouncing, cleaned, undeliverable, invalid, malformed, complained, complaining, complaint, spam, spammy, " +
		"junk, abuse, reported, markedasspam, blocked, blocklisted, blacklisted, suppressed, disabled, inactive, suspended, banned, held, quarantined, " +
		"byuser, bybounces, bymoderator, 退信, 已退信, 无效, 失效, 已失效, 黑名单, 已拉黑, 拉黑, 屏蔽, 已屏蔽, 停用, 已停用, 禁用, 已禁用, 投诉, 已投诉, 封禁, 未激活, 异常, 黑名單, 無效, " +
		"gebounct, unzustellbar, gesperrt, inaktiv, deaktiviert, bereinigt, rebond, rebondi, bloque, invalide, inactif, nettoye, rebotado, bloqueado, inactivo, limpiado, invalido, " +
		"無効, 不達, エラー, バウンス, ブロック, ブロック済み, rimbalzato, bloccato, inattivo, inativo, bloqueada, devolvido, geblokkeerd, inactief, заблокирован, недоступен, недействителен, nieaktywny, 반송, 차단, 휴면",
	providerPending: "pending, unconfirmed, unactivated, notconfirmed, unverified, nonsubscribed, transactional, notoptedin, nonmarketingcontact, invited, waiting, 未确认, 待确认, 未验证, 待验证, 待激活, " +
		"未確認, 待確認, unbestatigt, ausstehend, nonconfirme, enattente, sinconfirmar, noconfirmado, pendiente, 仮登録, 確認待ち",
}

var providerStates = tableOf(providerStateWords)

// isUnset reports whether a field says "no" or contains no date.
func isUnset(field string) bool {
	switch providerStateOf(field) {
	case providerNo, providerIn:
		return true
	}
	return strings.Trim(field, " \u00a0\u30000-–—/.:TZ") == "" // -, 0000-00-00 00:00:00
}

// providerStateOf reads a field with a state, or a mark for yes or no.
func providerStateOf(field string) providerState {
	switch strings.Trim(field, " \u00a0\u3000\ufe0f") {
	case "√", "✓", "✔", "☑", "✅":
		return providerYes
	case "×", "✗", "✘", "☒", "❌":
		return providerCrossed
	}
	return providerStates()[plain(field)]
}

// dateLike matches a date in digits, in any order.
var dateLike = lazyregexp.New(`^[\d\s./:,+TZapmAPM年月日時时分秒-]*(?:19|20)\d\d[\d\s./:,+TZapmAPM年月日時时分秒-]*$`)

// deadParts are parts of the names of columns for addresses that the provider no longer
// mails.
var deadParts = words("clean, bounce, invalid, undeliver, complain, spam, quarantine, suppress, 退信, 无效, 失效, 投诉, 不達, バウンス")

// elsewhere returns why another provider's column excludes a reader, "" if it does not.
func elsewhere(c column, name, field string) string {
	s := providerStateOf(field)
	switch c {
	case columnLeft:
		switch {
		case isUnset(field):
			return ""
		case s == providerDead, holdsAny(plain(name), deadParts()):
			return "the other provider no longer mails this address"
		}
		return "the reader unsubscribed at the other provider"
	case columnAgreed:
		switch {
		case s == providerYes || s == providerIn || dateLike.MatchString(field) && !isUnset(field):
			return ""
		case s == providerNo || plain(field) == "":
			return "the reader unsubscribed or never confirmed at the other provider"
		}
	case columnSaid:
		if s == providerYes || s == providerIn {
			return ""
		}
		if s == providerNo {
			return "the reader unsubscribed at the other provider"
		}
	case columnKind:
		if s != providerLeft && s != providerDead && s != providerPending {
			return ""
		}
	case columnStatus:
		if field == "" || s == providerIn {
			return ""
		}
	}
	switch s {
	case providerLeft:
		return "the reader unsubscribed at the other provider"
	case providerDead:
		return "the other provider no longer mails this address"
	case providerPending:
		return "the reader never confirmed at the other provider"
	}
	return fmt.Sprintf("the other provider has the state %q for this address, which is not understood", clipField(field))
}

// stateParts occur in remarks about a reader who no longer gets mail:
// 2024年已退订, "On Hold Bounce".
var stateParts = words("unsubscri, optout, optedout, bounce, donotmail, donotemail, nomail, 退订, 退訂, 取消订阅, 取消訂閱, 退信, 拒收, 黑名单, 黑名單, désabonn, abgemeldet, disiscri, descadastr, отпис, 配信停止, 수신거부")

// suspects finds columns without a known meaning whose values look like states: a word such
// as "unsubscribed" or 退订 in one row, or only yes and no in all.
type suspects struct {
	word   []string   // by column: a word for a state
	flags  [][]string // by column: its values, while all are yes or no
	others []bool     // by column: some value is neither
}

const maxFlags = 6 // maximum number of different values in a message

func newSuspects(columns int) *suspects {
	return &suspects{make([]string, columns), make([][]string, columns), make([]bool, columns)}
}

func (s *suspects) look(i int, field string) {
	if len(field) > 64 || s.word[i] != "" {
		s.others[i] = s.others[i] || field != ""
		return
	}
	value := strings.TrimSpace(field)
	if value == "" || slices.Contains(s.flags[i], value) {
		return
	}
	switch p := plain(value); providerStateOf(value) {
	case providerUnknown:
		if s.others[i] = true; holdsAny(p, stateParts()) && !strings.Contains(value, "://") {
			s.word[i] = value
		}
	case providerYes, providerNo, providerCrossed:
		if len(s.flags[i]) < maxFlags {
			s.flags[i] = append(s.flags[i], value)
		}
	case providerIn:
		if slices.Contains(commonWords(), p) {
			s.others[i] = true
			return
		}
		s.word[i] = value
	default:
		s.word[i] = value
	}
}

// isInitial reports whether the only value of a column is a letter, which may
// be a person's initial: yes and no would be two values.
func isInitial(values []string) bool {
	return len(values) == 1 && len(values[0]) == 1 && unicode.IsLetter(rune(values[0][0]))
}

// commonWords are words for states that are also used for other things.
var commonWords = words("member, regular, premium, paid, free, comped, complimentary, gifted, 登録, 正常")

// check returns an error for the first column that looks like a state.
func (s *suspects) check(names []string) error {
	for i, name := range names {
		shown := s.word[i]
		if shown == "" && !s.others[i] && !isInitial(s.flags[i]) {
			shown = strings.Join(s.flags[i], ", ")
		}
		if shown != "" {
			return fmt.Errorf("the column %q (%d) looks like a state (%s) and is not understood; use --status-column %q if it says who gets mail (true, 1, subscribed, 已订阅), or else --ignore-column %q",
				strings.TrimSpace(name), i+1, clipField(shown), strings.TrimSpace(name), strings.TrimSpace(name))
		}
	}
	return nil
}
