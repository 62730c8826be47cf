# Renders texts as a page of Redmine shows a note on an issue: formatter, macros, links to tickets and all that else is made
# of a text. Reads a JSON list of texts, writes a JSON list of their HTML.
#   rails runner render.rb textile|markdown|common_mark < TEXTS > PAGES
format = ARGV.fetch(0)
raise "no such formatting: #{format}" unless Redmine::WikiFormatting.format_names.include?(format)

Setting.define_singleton_method(:text_formatting) { format }
User.current = User.find_by!(login: 'admin') # who sees everything: no link is left out for want of a right
request = ActionDispatch::Request.new(Rack::MockRequest.env_for('http://127.0.0.1/issues/1'))
controller = IssuesController.new
controller.set_request!(request)
controller.set_response!(ActionDispatch::Response.new)
issue = Issue.find(1)
pages = JSON.parse($stdin.read).map do |text|
  journal = Journal.new(journalized: issue, user: User.current, notes: text)
  controller.view_context.textilizable(journal, :notes).to_s
end
$stdout.write(JSON.generate(pages))
