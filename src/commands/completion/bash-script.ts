/**
 * For bash, from 3.2 on. Our own, since the script of the library needs the package bash-completion, expands what it
 * offers as the shell would, and completes no `--flag=value`: here nothing is evaluated, and nothing else is needed.
 *
 * The line goes to `runner` as it is, for the words of bash end at its `COMP_WORDBREAKS` (the : of a URL).
 */
export const BASH_SCRIPT = String.raw`# bash completion of runner
_runner_completion() {
  local line=\${COMP_LINE:0:COMP_POINT} current=\${COMP_WORDS[COMP_CWORD]} value about
  local word=\${line##*[[:space:]]}
  case $current in : | =) current= ;; esac
  # What bash replaces begins after its last word break.
  local kept=\${word%"$current"}
  COMPREPLY=()
  while IFS=$'\t' read -r value about; do
    case $value in
      :0 | :16) _runner_completion_files "$value" "$current" ;;
      :*) ;;
      *) COMPREPLY+=("\${value#"$kept"}") ;;
    esac
  done < <("\${COMP_WORDS[0]/#\~/$HOME}" complete --line "$line" 2>/dev/null)
}
_runner_completion_files() {
  local file kind=-f
  if [[ $1 == :16 ]]; then kind=-d; fi
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "$kind" -- "$2")
}
complete -F _runner_completion runner`.replaceAll('\\$', '$')
