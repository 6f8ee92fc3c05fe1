# What the tables of chains are written with. Every certificate is made by OpenSSL's command line.
# Lists of extensions are lines of OpenSSL's configuration with `;` between them.

ISSUING='basicConstraints=critical,CA:TRUE,pathlen:0;keyUsage=critical,digitalSignature,keyCertSign,cRLSign;extendedKeyUsage=clientAuth;subjectKeyIdentifier=hash;authorityKeyIdentifier=keyid:always,issuer:always'
ROOT='basicConstraints=critical,CA:TRUE,pathlen:2;keyUsage=critical,keyCertSign,cRLSign;subjectKeyIdentifier=hash'
MIDDLE='basicConstraints=critical,CA:TRUE,pathlen:1;keyUsage=critical,keyCertSign,cRLSign;subjectKeyIdentifier=hash;authorityKeyIdentifier=keyid:always'
DEVICE='basicConstraints=critical,CA:FALSE;keyUsage=critical,digitalSignature;extendedKeyUsage=clientAuth;subjectKeyIdentifier=hash;authorityKeyIdentifier=keyid:always'

# without NAME EXTENSIONS: the list without one of them.
without() { printf '%s\n' "$2" | tr ';' '\n' | grep -v "^$1=" | paste -s -d ';' -; }
# instead NAME=VALUE EXTENSIONS: the list with another value of one of them.
instead() { printf '%s;%s\n' "$(without "${1%%=*}" "$2")" "$1"; }

section() { printf '[req]\ndistinguished_name=subject\n[subject]\n[made]\n'; printf '%s\n' "$1" | tr ';' '\n'; }

# key NAME [CURVE [OPTION...]]
key() { name=$1; curve=${2:-secp384r1}; [ $# -lt 2 ] || shift; shift; openssl ecparam -name "$curve" -genkey -noout -out "$name.key" "$@"; }
# rsa NAME
rsa() { openssl genrsa -out "$1.key" 2048 2> /dev/null; }
# request NAME KEY SUBJECT [EXTENSIONS]
request() { section "${4:-}" > "$1.cnf"; openssl req -new -key "$2.key" -subj "$3" -config "$1.cnf" ${4:+-reqexts made} -out "$1.csr"; }
# root NAME SUBJECT EXTENSIONS [OPTION...]: signs itself with NAME.key.
root() { section "$3" > "$1.cnf"; name=$1; subject=$2; shift 3; openssl req -x509 -new -key "$name.key" -subj "$subject" -config "$name.cnf" -extensions made -days 3650 -sha384 -out "$name.pem" "$@"; }
# sign NAME REQUEST ISSUER EXTENSIONS [OPTION...]: the intermediate lasts longer, or what it signs a second later would
# outlive it.
sign() {
  name=$1 signed=$2 issuer=$3; section "$4" > "$name.cnf"; shift 4
  case $signed in middle) days=2555 ;; *) days=1825 ;; esac
  openssl x509 -req -in "$signed.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial "0x1$(openssl rand -hex 8)" -days "$days" -sha384 \
    -extfile "$name.cnf" -extensions made -out "$name.pem" "$@" 2> /dev/null
}

# The world that every row begins with: the service's key and requests, and a root, an intermediate and an issuing CA.
world() {
  key service; key root; key middle; key other
  request request service '/CN=07b5d73a70e046f288ddc64518bc517e'
  request asking service '/CN=07b5d73a70e046f288ddc64518bc517e' 'basicConstraints=critical,CA:TRUE,pathlen:1;keyUsage=critical,digitalSignature,keyCertSign,cRLSign;extendedKeyUsage=clientAuth'
  request middle middle '/O=Contoso/CN=Contoso intermediate'
  root root '/O=Contoso/CN=Contoso root' "$ROOT"
  sign middle middle root "$MIDDLE"
  sign issuing request root "$ISSUING"
  sign below request middle "$ISSUING"
}
