package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// The node's format, version 1, as far as a read needs it: context, HKDF and the box of suite 1.

const boxOverhead = 78

var (
	errFormat   = errors.New("box: not a box")
	errWrongKey = errors.New("box: wrong key or context")
	zeroNonce   [12]byte
)

// context puts "clav1" and the parts one after the other, each behind its length.
func context(parts ...[]byte) []byte {
	out := make([]byte, 0, 192)
	out = append(out, 0, 5, 'c', 'l', 'a', 'v', '1')
	for _, part := range parts {
		out = append(out, byte(len(part)>>8), byte(len(part)))
		out = append(out, part...)
	}
	return out
}

func u64(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n))
}

// hkdf is RFC 5869 with SHA-256.
func hkdf(key, salt []byte, length int, info ...[]byte) []byte {
	extract := hmac.New(sha256.New, salt)
	extract.Write(key)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	out := make([]byte, 0, 64)
	for i := byte(1); len(out) < length; i++ {
		if i > 1 {
			expand.Reset()
			expand.Write(out[len(out)-sha256.Size:])
		}
		for _, part := range info {
			expand.Write(part)
		}
		expand.Write([]byte{i})
		out = expand.Sum(out)
	}
	return out[:length]
}

func derive(key []byte, parts ...[]byte) []byte {
	return hkdf(key, nil, 32, context(parts...))
}

// boxKeys derives the one-time cipher and the commitment of a box.
func boxKeys(header, key, ctx []byte) (cipher.AEAD, []byte) {
	okm := hkdf(key, header[6:30], 64, []byte("clav1/box"), header[:6], ctx)
	block, err := aes.NewCipher(okm[:32])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead, okm[32:]
}

func seal(plaintext, key, ctx []byte, keyID uint32) []byte {
	box := make([]byte, 30, boxOverhead+len(plaintext))
	box[0], box[1] = 1, 1
	binary.BigEndian.PutUint32(box[2:], keyID)
	mustRead(box[6:])
	aead, commitment := boxKeys(box, key, ctx)
	box = append(box, commitment...)
	return aead.Seal(box, zeroNonce[:], plaintext, nil)
}

func open(box, key, ctx []byte) ([]byte, error) {
	if len(box) < boxOverhead || box[0] != 1 || box[1] != 1 {
		return nil, errFormat
	}
	aead, commitment := boxKeys(box, key, ctx)
	if subtle.ConstantTimeCompare(commitment, box[30:62]) != 1 {
		return nil, errWrongKey
	}
	return aead.Open(box[62:62], zeroNonce[:], box[62:], nil)
}

func mustRead(into []byte) {
	if _, err := rand.Read(into); err != nil {
		panic(err)
	}
}

func random(count int) []byte {
	out := make([]byte, count)
	mustRead(out)
	return out
}
