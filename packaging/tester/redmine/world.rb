# What there is to try srvAudit on, in a freshly migrated Redmine; run again it changes nothing.
#   rails runner world.rb KEYFILE
# The REST API is on, Redmine's default data is loaded, there are a project, an ordinary user and a ticket, and an
# administrator's API key of this Redmine's own is in KEYFILE.
Redmine::DefaultData::Loader.load('en') if Redmine::DefaultData::Loader.no_data?

Setting.rest_api_enabled = '1'
Setting.default_language = 'en'
Setting.app_title = 'srvAudit tester'
Setting.text_formatting = 'textile'
Setting.notified_events = [] # nobody gets mail
Setting.password_min_length = 6

admin = User.find_by!(login: 'admin')
if admin.must_change_passwd || admin.check_password?('admin')
  admin.update!(password: 'abc123', password_confirmation: 'abc123', must_change_passwd: false, language: 'en')
end
# The same name as on the client, and the same password.
user = User.find_by(login: 'srvaudit') || User.new(firstname: 'Sam', lastname: 'Tester', mail: 'srvaudit@example.test', language: 'en').tap do |new|
  new.login = 'srvaudit'
  new.password = new.password_confirmation = 'abc123'
  new.save!
end

project = Project.find_by(identifier: 'servers') ||
          Project.create!(identifier: 'servers', name: 'Servers', is_public: false, trackers: Tracker.sorted.to_a,
                          enabled_module_names: %w[issue_tracking time_tracking wiki])
unless project.members.exists?(user_id: user.id)
  Member.create!(project: project, principal: user, roles: [Role.find_by!(name: 'Developer')])
end
if project.issues.empty?
  ticket = lambda do |subject, description, assignee|
    Issue.create!(project: project, author: admin, assigned_to: assignee, tracker: project.trackers.find_by!(name: 'Support'),
                  priority: IssuePriority.default || IssuePriority.active.first, subject: subject, description: description)
  end
  ticket.call('Install srvAudit', 'The installer tries the login shell out on this ticket, before it gives it to anybody.', admin)
  ticket.call('Renew the certificate of www.example.test', 'A ticket that is there already: type its number when you log in.', user)
end

token = Token.find_by(user_id: admin.id, action: 'api') || Token.create!(user: admin, action: 'api')
File.write(ARGV.fetch(0), token.value, perm: 0o600)
