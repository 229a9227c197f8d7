package ca

import (
	"runtime"
	"strings"
)

// Trust says how one system, browser or program is told to trust a certificate.
type Trust struct {
	System   string   `json:"system"`
	Note     string   `json:"note,omitempty"`     // prose: where to click, or what to know
	Commands []string `json:"commands,omitempty"` // for its shell
}

// Instructions returns how the certificate in a file, as PEM, comes to be trusted on each
// system that people capture from.
func Instructions(file string) []Trust {
	f := quote(file)
	return []Trust{
		{
			System: "Debian, Ubuntu, Alpine",
			Commands: []string{
				"sudo cp " + f + " /usr/local/share/ca-certificates/flowkit-ca.crt",
				"sudo update-ca-certificates",
			},
		},
		{
			System: "Fedora, RHEL",
			Commands: []string{
				"sudo cp " + f + " /etc/pki/ca-trust/source/anchors/flowkit-ca.pem",
				"sudo update-ca-trust",
			},
		},
		{
			System:   "Arch",
			Commands: []string{"sudo trust anchor --store " + f},
		},
		{
			System:   "macOS",
			Note:     "Safari, Chrome and most apps go by the keychain.",
			Commands: []string{"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain " + f},
		},
		{
			System:   "Windows",
			Note:     "For this user; without -user, as administrator, for all. Edge, Chrome and most apps go by this store.",
			Commands: []string{"certutil -user -addstore Root " + f},
		},
		{
			System: "Firefox",
			Note: "Settings, Privacy & Security, View Certificates, Authorities, Import; tick “Trust this CA to identify websites”. " +
				"On Windows, macOS and Android, Firefox can also take the certificates of the system.",
		},
		{
			System: "Chrome and Chromium on Linux",
			Note:   "certutil is in libnss3-tools (Debian) or nss-tools (Fedora). Or chrome://certificate-manager, Custom, Import.",
			Commands: []string{
				`certutil -d "sql:$HOME/.pki/nssdb" -A -t C,, -n flowkit-ca -i ` + f,
			},
		},
		{
			System: "Android",
			Note: "With the proxy set in the Wi-Fi settings, open http://flowkit.ca and load the CER file. Then Settings, Security, " +
				"Encryption & credentials, Install a certificate, CA certificate. Since Android 7, apps trust it only if their " +
				"network security configuration says so; browsers do.",
		},
		{
			System: "iOS, iPadOS",
			Note: "With the proxy set in the Wi-Fi settings, open http://flowkit.ca in Safari and load the PEM file. Then Settings, " +
				"General, VPN & Device Management, install the profile; then General, About, Certificate Trust Settings, switch it on.",
		},
		{
			System:   "Java",
			Note:     "For the Java (9 or later) whose keytool it is.",
			Commands: []string{"keytool -importcert -cacerts -storepass changeit -noprompt -alias flowkit-ca -file " + f},
		},
		{
			System:   "Node.js",
			Commands: []string{"export NODE_EXTRA_CA_CERTS=" + f},
		},
		{
			System:   "Python",
			Note:     "For ssl, httpx and aiohttp the first, for requests the second. Other CAs are not trusted then, nor needed behind the proxy.",
			Commands: []string{"export SSL_CERT_FILE=" + f, "export REQUESTS_CA_BUNDLE=" + f},
		},
		{
			System:   "curl",
			Note:     "Or --cacert for one call. curl of Windows needs --ssl-no-revoke besides.",
			Commands: []string{"export CURL_CA_BUNDLE=" + f},
		},
		{
			System:   "git",
			Note:     "Or, lasting: git config http.sslCAInfo FILE.",
			Commands: []string{"export GIT_SSL_CAINFO=" + f},
		},
	}
}

// quote writes a file name for a shell.
func quote(name string) string {
	plain := !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f || strings.ContainsRune(`/\:._-+,@%=`, r))
	})
	switch {
	case plain && name != "" && (runtime.GOOS == "windows" || !strings.Contains(name, `\`)):
		return name
	case runtime.GOOS == "windows":
		return `"` + name + `"` // a name has no quotes there
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
