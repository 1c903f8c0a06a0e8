package theme

import "strings"

// english are the English names of the themes. Every word of one that no other has finds it.
var english = map[string]string{
	"国务院组织机构":        "Organization of the State Council",
	"综合政务":           "General government affairs",
	"国民经济管理、国有资产监管":  "Economic management and state assets",
	"财政、金融、审计":       "Finance, banking and auditing",
	"国土资源、能源":        "Land, resources and energy",
	"农业、林业、水利":       "Agriculture, forestry and water",
	"工业、交通":          "Industry and transport",
	"商贸、海关、旅游":       "Trade, customs and tourism",
	"市场监管、安全生产监管":    "Market regulation and work safety",
	"城乡建设、环境保护":      "Urban and rural construction, environment",
	"科技、教育":          "Science, technology and education",
	"文化、广电、新闻出版":     "Culture, broadcasting and publishing",
	"卫生、体育":          "Health and sport",
	"人口与计划生育、妇女儿童工作": "Population, women and children",
	"劳动、人事、监察":       "Labor, personnel and supervision",
	"公安、安全、司法":       "Police, security and justice",
	"民政、扶贫、救灾":       "Civil affairs, poverty and disaster relief",
	"民族、宗教":          "Ethnic affairs and religion",
	"对外事务":           "Foreign affairs",
	"港澳台侨工作":         "Hong Kong, Macao, Taiwan and overseas Chinese",
	"国防":             "National defense",
	"其他":             "Other",
}

// NameIn returns the name of a theme in a language, zh or en. A second level and names that are
// not in the 主题分类 stay as they are.
func NameIn(name, language string) string {
	main, second, ok := strings.Cut(name, `\`)
	switch translated := english[main]; {
	case language != "en" || translated == "":
		return name
	case ok:
		return translated + `\` + second
	default:
		return translated
	}
}

// fromEnglish returns the theme with an English name, or with words that no other English name
// has; "" if there is none.
func fromEnglish(name string) string {
	wanted, found := plainEnglish(name), ""
	for _, t := range Names {
		switch have := plainEnglish(english[t]); {
		case have == wanted:
			return t
		case !strings.Contains(have, wanted):
		case found != "":
			return ""
		default:
			found = t
		}
	}
	return found
}

// plainEnglish returns the words of a name in small letters, each between spaces.
func plainEnglish(name string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ',' || r == ' ' }), " ") + " "
}
