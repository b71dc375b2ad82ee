# frozen_string_literal: true

Rails.application.routes.draw do
  root 'notes#index'
  get 'notes/export', to: 'exports#show', as: :export
  resources :notes

  resource :remarks, only: :show
  # Action Cable's own client; there is no asset pipeline here.
  client = ActionCable::Engine.root.join('app/assets/javascripts/actioncable.esm.js')
  get 'actioncable.js', format: false, to: ->(_env) { [200, { 'content-type' => 'text/javascript' }, [client.read]] }
end
