#!/bin/sh
# Unpacks espeak-ng and flite from Debian packages, for machines that cannot install them:
#   sh train/data/speech_libraries.sh DEBS DIR
# DEBS holds libespeak-ng1, espeak-ng-data, libflite1 and libsonic0 (others there are left alone). Then
#   export LONGCAT_SPEECH_ROOT=DIR LD_LIBRARY_PATH=DIR/usr/lib/x86_64-linux-gnu
# Their audio outputs (libpcaudio, libasound) are never used; empty libraries with the same symbols stand in for them.
set -eu
debs=$1 root=$2 lib=$2/usr/lib/x86_64-linux-gnu
mkdir -p "$root"
for name in libespeak-ng1 espeak-ng-data libflite1 libsonic0; do
  dpkg -x "$debs"/"$name"_*.deb "$root"
done

stand_in() { # user of the library, prefixes of its symbols, name, version node
  functions=$(nm -D --undefined-only "$lib/$1" | awk '{ sub("@.*", "", $2); print $2 }' | grep -E "^($2)")
  for f in $functions; do echo "int $f(void) { return -1; }"; done > "$root/stand_in.c"
  echo "$4 { global: *; };" > "$root/stand_in.map"
  gcc -shared -fPIC -fno-builtin -w -Wl,-soname,"$3" -Wl,--version-script,"$root/stand_in.map" -o "$lib/$3" "$root/stand_in.c"
  rm "$root/stand_in.c" "$root/stand_in.map"
}
stand_in libespeak-ng.so.1 "audio_object_|create_audio_" libpcaudio.so.0 ""
stand_in libflite.so.1 "snd_" libasound.so.2 ALSA_0.9
