#!/bin/sh
# An event listener in plain shell: appends the type and the payload of each
# event to the file $1.
#
# The length in a header counts bytes when the configuration says
# len_bytes=true; dd reads bytes.
while printf 'READY\n' && IFS= read -r header; do
	length=${header##* len:}
	length=${length%% *}
	event=${header##* eventname:}
	event=${event%% *}
	payload=$(dd bs=1 count="$length" 2>/dev/null)
	if printf '%s %s\n' "$event" "$payload" >>"$1"; then
		printf 'RESULT 2\nOK'
	else
		printf 'RESULT 4\nFAIL'
	fi
done
