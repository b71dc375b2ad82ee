/* Session tickets (RFC 5077, RFC 8446 section 4.6.1): their keys are in a mapping that all workers share. */
#include "../base/clock.h"
#include "openssl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum {
  LIFE = 12 * 3600, /* seconds that a key makes tickets; it opens them for as long again, and so long they are valid */
  KEYS = 3,         /* the current one, the one before it, and the next one's place */
  TICKETS = 2,      /* for each full TLS 1.3 handshake: a browser opens several connections and uses each ticket once */
};

#if IOD_OPENSSL_HELLO

typedef struct key {
  unsigned char name[16], cipher[32], mac[32];
} ticket_key_t;

typedef struct keys {
  _Atomic uint64_t made;    /* when, in seconds: who sets it makes the next key */
  _Atomic uint32_t current; /* counts them */
  ticket_key_t key[KEYS];
} keys_t;

static keys_t *keys;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t seconds(void) { return iod_clock_ms() / 1000; }

/* A process that dies in here leaves the old key in force for another LIFE, nothing worse. */
static void rotate(void) {
  uint64_t made = atomic_load(&keys->made), now = seconds();
  if (now - made < LIFE || !atomic_compare_exchange_strong(&keys->made, &made, now)) return;
  uint32_t next = atomic_load(&keys->current) + 1;
  ticket_key_t fresh;
  if (RAND_bytes((unsigned char *)&fresh, sizeof fresh) != 1) return;
  memcpy(&keys->key[next % KEYS], &fresh, sizeof fresh);
  OPENSSL_cleanse(&fresh, sizeof fresh);
  atomic_store(&keys->current, next);
}

static void make_keys(void) {
  keys_t *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) return;
  if (RAND_bytes((unsigned char *)made->key, sizeof made->key) != 1) {
    munmap(made, sizeof *made);
    return;
  }
  atomic_init(&made->made, seconds());
  atomic_init(&made->current, 1);
  keys = made;
}

/* The key of that name, if it may still be used; how many others came since. */
static const ticket_key_t *find(const unsigned char name[16], uint32_t *age) {
  uint32_t current = atomic_load(&keys->current);
  for (*age = 0; *age < KEYS - 1; ++*age) {
    const ticket_key_t *key = &keys->key[(current - *age) % KEYS];
    if (CRYPTO_memcmp(key->name, name, sizeof key->name) == 0) return key;
  }
  return NULL;
}

/* TLS 1.3 clients use a ticket once, so they always get another; TLS 1.2's only when its key is old. */
static int opened(const SSL *ssl, uint32_t age) { return age > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1; }

/* The key for a ticket: 0 = none, so that no ticket is made, or a full handshake is. */
static const ticket_key_t *key_for(unsigned char name[16], int making, uint32_t *age) {
  rotate();
  if (!making) return find(name, age);
  const ticket_key_t *key = &keys->key[atomic_load(&keys->current) % KEYS];
  memcpy(name, key->name, sizeof key->name);
  return key;
}

static int set_cipher(EVP_CIPHER_CTX *cipher, const ticket_key_t *key, unsigned char *iv, int making) {
  if (making && RAND_bytes(iv, EVP_CIPHER_iv_length(EVP_aes_256_cbc())) != 1) return 0;
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, making);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#include <openssl/core_names.h>

static int set_mac(EVP_MAC_CTX *mac, const ticket_key_t *key) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof key->mac),
                             OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                             OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters);
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int making) {
#else

#include <openssl/hmac.h>

static int set_mac(HMAC_CTX *mac, const ticket_key_t *key) {
  return HMAC_Init_ex(mac, key->mac, sizeof key->mac, EVP_sha256(), NULL);
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, HMAC_CTX *mac,
                     int making) {
#endif
  uint32_t age = 0;
  const ticket_key_t *key = key_for(name, making, &age);
  if (!key) return 0;
  if (!set_mac(mac, key) || !set_cipher(cipher, key, iv, making)) return -1;
  return making ? 1 : opened(ssl, age);
}

void iod_tls_tickets_install(SSL_CTX *context) {
  pthread_once(&once, make_keys);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, LIFE);
  if (!keys) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_num_tickets(context, TICKETS);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
#else
  SSL_CTX_set_tlsext_ticket_key_cb(context, on_ticket);
#endif
}

#else

void iod_tls_tickets_install(SSL_CTX *context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

#endif
