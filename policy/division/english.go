package division

import "strings"

// english are the English names of the provinces, by code.
var english = map[string]string{
	"11": "Beijing", "12": "Tianjin", "13": "Hebei", "14": "Shanxi", "15": "Inner Mongolia", "21": "Liaoning", "22": "Jilin", "23": "Heilongjiang",
	"31": "Shanghai", "32": "Jiangsu", "33": "Zhejiang", "34": "Anhui", "35": "Fujian", "36": "Jiangxi", "37": "Shandong", "41": "Henan", "42": "Hubei",
	"43": "Hunan", "44": "Guangdong", "45": "Guangxi", "46": "Hainan", "50": "Chongqing", "51": "Sichuan", "52": "Guizhou", "53": "Yunnan", "54": "Tibet",
	"61": "Shaanxi", "62": "Gansu", "63": "Qinghai", "64": "Ningxia", "65": "Xinjiang", "71": "Taiwan", "81": "Hong Kong", "82": "Macao",
}

// NameIn returns the name of a region in a language, zh or en, "" for an unknown code. In
// English, cities and counties keep their own name: 成都市, Sichuan.
func NameIn(code, language string) string {
	name := Name(code)
	if code = TrimCode(code); name == "" || language != "en" {
		return name
	}
	province := english[code[:2]]
	if own := strings.TrimPrefix(name, regions().names[code[:2]]); own != "" {
		return own + ", " + province
	}
	return province
}

// fromEnglish returns the code of a province by its English name.
func fromEnglish(name string) string {
	for code, e := range english {
		if strings.EqualFold(strings.ReplaceAll(e, " ", ""), name) {
			return code
		}
	}
	return ""
}
